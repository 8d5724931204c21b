/** Examines an object: reads what there is to know, judges, and reads the ends of the logs of what crashed. */
import type { KubeObject } from '../../api/object.ts'
import type { Pod } from '../../api/types.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { rolloutStateOf } from '../../rollout/index.ts'
import { openLog } from '../logs/read.ts'
import { handleOf } from '../names/candidate.ts'
import { isUnavailable } from '../names/metadata.ts'
import type { Session } from '../session.ts'
import { endpointsIn, serviceText } from '../tree/state.ts'
import { rootCauses } from '../why/cause.ts'
import { Explainer } from '../why/explain.ts'
import { notWell, podReason } from '../why/pod-reason.ts'
import { eventsIn } from './events.ts'
import type { Facts, Surveyor } from './facts.ts'
import { judge } from './judge.ts'
import { type Crash, crashesOf, isReady } from './pods.ts'
import type { CrashReport, PodReport, Replicas, Report, ServiceReport } from './report.ts'

/** Logs that are looked into; others of the same workload mostly say the same. */
const MAX_LOGS = 3
const LOG_LINES = 5
const LOG_BYTES = 4096

export async function examine(
  resource: DiscoveredResource,
  read: KubeObject,
  surveyor: Surveyor,
  session: Session,
  { signal, nowMs }: { signal: AbortSignal; nowMs: number },
): Promise<Report> {
  const [facts, cause] = await Promise.all([
    surveyor.factsOf(resource, read),
    // Of nodes, claims and the like it knows no more than their own conditions.
    new Explainer(session).explain(resource, read),
  ])
  const { object } = facts
  const { name = '', namespace } = object.metadata
  const rollout = rolloutStateOf(object)
  const causes = cause ? [cause] : []
  const { group, version, kind } = resource
  return {
    ...{ handle: handleOf({ resource, name }), apiVersion: group ? `${group}/${version}` : version, kind, name, namespace },
    ...judge(facts, cause, nowMs),
    ...{ rootCauses: rootCauses(causes), causes },
    ...(rollout && {
      replicas: replicasIn(facts),
      rollout: { state: rollout.state, partner: rollout.partner, canGoBack: hasHistory(object) },
    }),
    ...(facts.pods.length > 0 && { pods: await podsIn(facts.pods, session, signal) }),
    ...(facts.services.length > 0 && { services: facts.services.map(serviceIn) }),
    ...(facts.warnings.length > 0 && { events: eventsIn(facts.warnings, facts.pods) }),
  }
}

/** Whether it ever ran another template: so its own annotations and revisions say. */
function hasHistory({ kind, metadata, status }: KubeObject): boolean {
  const { annotations = {} } = metadata
  if (kind === 'Deployment') return (annotations['deployment.kubernetes.io/revision'] ?? '1') !== '1'
  if (kind === 'DaemonSet') return (annotations['deprecated.daemonset.template.generation'] ?? '1') !== '1'
  return kind !== 'StatefulSet' || status?.currentRevision !== status?.updateRevision
}

function replicasIn({ object, pods }: Facts): Replicas | undefined {
  const rollout = rolloutStateOf(object)
  return (
    rollout && {
      wanted: rollout.wanted,
      updated: rollout.updated,
      ready: pods.filter(isReady).length,
      available: rollout.available,
    }
  )
}

async function podsIn(pods: readonly Pod[], session: Session, signal: AbortSignal): Promise<Report['pods']> {
  const ailing = notWell(pods)
  const crashes = ailing.flatMap(crashesOf)
  const lines = new Map<Crash, readonly string[] | undefined>()
  await Promise.all(crashes.slice(0, MAX_LOGS).map(async (crash) => lines.set(crash, await lastLinesOf(crash, session, signal))))
  const notWellPods = ailing.map((pod): PodReport => {
    const { why = '', since } = podReason(pod) ?? {}
    const own = crashes.filter((crash) => crash.pod === pod)
    return { name: pod.metadata.name ?? '', why, since, crashes: own.map((crash) => crashIn(crash, lines.get(crash))) }
  })
  const done = pods.filter(({ status }) => status?.phase === 'Succeeded').length
  return { all: pods.length, ready: pods.filter(isReady).length, done, notWell: notWellPods }
}

function crashIn({ pod: _, isPrevious: __, ...crash }: Crash, lastLines: readonly string[] | undefined): CrashReport {
  return lastLines ? { ...crash, lastLines } : crash
}

/** Undefined where there is no log to be had: its run is forgotten, or the user may not read it. */
async function lastLinesOf(
  { pod, container, isPrevious }: Crash,
  session: Session,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const within = { ...session, namespace: pod.metadata.namespace ?? session.namespace }
  const extent = { tailLines: LOG_LINES, limitBytes: LOG_BYTES, previous: isPrevious }
  try {
    const parts: Buffer[] = []
    for await (const chunk of await openLog({ pod, container }, extent, within, signal)) parts.push(chunk as Buffer)
    return Buffer.concat(parts).toString('utf8').trimEnd().split('\n')
  } catch (error) {
    if (!isUnavailable(error) && (error as { code?: number }).code !== 400) throw error
    return undefined
  }
}

function serviceIn({ service, slices }: Facts['services'][number]): ServiceReport {
  const { ready, all } = endpointsIn(slices)
  return { name: service.metadata.name ?? '', text: serviceText(service), ready, endpoints: all }
}
