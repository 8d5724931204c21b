/** A pod as a Job makes it. Pure. */
import type { Container, Job, Pod } from '../../api/types.ts'
import { jobs } from '../../client/resources.ts'
import { podFromTemplate } from '../parts/pod-template.ts'
import type { PodToCreate } from './plan.ts'
import { FAILURES_ANNOTATION, INDEX_ANNOTATION, TRACKING_FINALIZER } from './pods.ts'

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'
/** Longest prefix of a generated name that leaves room for its random end in a host name. */
const MAX_PREFIX = 57

export function podOfJob(job: Job, { index, failures }: PodToCreate): Pod {
  const pod = podFromTemplate(job, jobs, job.spec?.template)
  pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), TRACKING_FINALIZER]
  if (index === undefined) return pod
  const name = `${job.metadata.name}-${index}`
  pod.metadata.generateName = `${name.slice(0, MAX_PREFIX)}-`
  pod.metadata.labels = { ...pod.metadata.labels, [INDEX_ANNOTATION]: String(index) }
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [INDEX_ANNOTATION]: String(index),
    ...(failures !== undefined && { [FAILURES_ANNOTATION]: String(failures) }),
  }
  if (pod.spec) {
    pod.spec.hostname = name
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) addIndex(container)
  }
  return pod
}

/** Read from the annotation, so that all pods of the Job have one template. */
function addIndex(container: Container): void {
  if (container.env?.some(({ name }) => name === INDEX_VARIABLE)) return
  const fieldRef = { apiVersion: 'v1', fieldPath: `metadata.annotations['${INDEX_ANNOTATION}']` }
  container.env = [...(container.env ?? []), { name: INDEX_VARIABLE, valueFrom: { fieldRef } }]
}
