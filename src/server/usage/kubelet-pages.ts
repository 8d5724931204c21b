/** What a kubelet tells of usage, in its own forms: `/stats/summary` and `/metrics/resource`. Pure. */
import type { ContainerUsage, NodeUsage, PodUsage, Usage } from '../../api/usage.ts'

const time = (atMs: number) => `${new Date(atMs).toISOString().slice(0, 19)}Z`

/** The Summary of `k8s.io/kubelet/pkg/apis/stats/v1alpha1`, as far as it is measured. */
export function statsSummary(nodeName: string, { node, pods }: NodeUsage): object {
  const memory = memoryStats(node)
  return {
    node: {
      nodeName,
      startTime: time(node.startedAtMs),
      cpu: cpuStats(node),
      memory: { ...memory, availableBytes: node.memoryAvailableBytes },
    },
    pods: running(pods).map((pod) => ({
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      startTime: time(pod.startedAtMs),
      containers: pod.containers.map((container) => ({
        name: container.name,
        startTime: time(container.startedAtMs),
        cpu: cpuStats(container),
        memory: memoryStats(container),
      })),
      cpu: cpuStats(total(pod.containers)),
      memory: memoryStats(total(pod.containers)),
    })),
  }
}

function cpuStats({ timestampMs, cpuNanoCores, cpuNanoSeconds }: Usage): object {
  return { time: time(timestampMs), usageNanoCores: cpuNanoCores, usageCoreNanoSeconds: cpuNanoSeconds }
}

function memoryStats({ timestampMs, memoryBytes }: Usage): object {
  return { time: time(timestampMs), workingSetBytes: memoryBytes }
}

/** In the Prometheus text format. */
export function resourceMetrics({ node, pods }: NodeUsage): string {
  const here = running(pods)
  const containers = here.flatMap((pod) => pod.containers.map((container) => ({ pod, container })))
  const labelsOf = ({ namespace, name }: PodUsage) => `namespace="${namespace}",pod="${name}"`
  const ofContainers = (value: (container: ContainerUsage) => number, isTimed = true) =>
    containers.map(({ pod, container }) =>
      sample(`container="${container.name}",${labelsOf(pod)}`, value(container), isTimed ? container.timestampMs : undefined),
    )
  const ofPods = (value: (usage: Usage) => number) =>
    here.map((pod) => {
      const usage = total(pod.containers)
      return sample(labelsOf(pod), value(usage), usage.timestampMs)
    })
  const seconds = ({ cpuNanoSeconds }: Usage) => cpuNanoSeconds / 1e9
  const bytes = ({ memoryBytes }: Usage) => memoryBytes
  const CPU = 'cumulative cpu time in core-seconds'
  const MEMORY = 'current working set in bytes'
  return [
    family('container_cpu_usage_seconds_total', 'counter', `${CPU} of the container`, ofContainers(seconds)),
    family('container_memory_working_set_bytes', 'gauge', `${MEMORY} of the container`, ofContainers(bytes)),
    family(
      'container_start_time_seconds',
      'gauge',
      'start of the container since the epoch in seconds',
      ofContainers(({ startedAtMs }) => startedAtMs / 1000, false),
    ),
    family('node_cpu_usage_seconds_total', 'counter', `${CPU} of the node`, [sample('', seconds(node), node.timestampMs)]),
    family('node_memory_working_set_bytes', 'gauge', `${MEMORY} of the node`, [sample('', bytes(node), node.timestampMs)]),
    family('pod_cpu_usage_seconds_total', 'counter', `${CPU} of the pod`, ofPods(seconds)),
    family('pod_memory_working_set_bytes', 'gauge', `${MEMORY} of the pod`, ofPods(bytes)),
    family('resource_scrape_error', 'gauge', '1 if something could not be measured, 0 otherwise', [sample('', 0, undefined)]),
  ].join('')
}

function family(name: string, type: string, help: string, samples: readonly string[]): string {
  if (samples.length === 0) return ''
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((line) => `${name}${line}\n`).join('')}`
}

function sample(labels: string, value: number, atMs: number | undefined): string {
  return `${labels && `{${labels}}`} ${value}${atMs === undefined ? '' : ` ${Math.round(atMs)}`}`
}

/** What all containers of a pod use together. */
function total(containers: readonly Usage[]): Usage {
  const sum = (value: (usage: Usage) => number) => containers.reduce((so, usage) => so + value(usage), 0)
  return {
    timestampMs: Math.min(...containers.map(({ timestampMs }) => timestampMs)),
    windowMs: Math.max(...containers.map(({ windowMs }) => windowMs)),
    cpuNanoCores: sum(({ cpuNanoCores }) => cpuNanoCores),
    cpuNanoSeconds: sum(({ cpuNanoSeconds }) => cpuNanoSeconds),
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
  }
}

function running(pods: readonly PodUsage[]): readonly PodUsage[] {
  return pods.filter(({ containers }) => containers.length > 0)
}
