/** What a node and the containers on it use, as its agent measures it: a present rate of CPU, and memory that could not be given back. */

export interface Usage {
  /** When it was measured. */
  timestampMs: number
  /** The time before, of which `cpuNanoCores` is the mean. */
  windowMs: number
  /** Billionths of a core. */
  cpuNanoCores: number
  /** All CPU time since the start. */
  cpuNanoSeconds: number
  /** The working set. */
  memoryBytes: number
}

export interface ContainerUsage extends Usage {
  name: string
  startedAtMs: number
}

export interface PodUsage {
  namespace: string
  name: string
  uid: string
  startedAtMs: number
  /** Those that run. */
  containers: ContainerUsage[]
}

export interface NodeUsage {
  /** The whole machine, whatever runs on it. */
  node: Usage & { startedAtMs: number; memoryAvailableBytes: number }
  pods: PodUsage[]
}
