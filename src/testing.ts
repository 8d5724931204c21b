/** `skiff/testing`: a cluster for one test run, in memory, with simulated pods unless another runtime is asked for. */
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts'

export function startTestCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return startCluster({ runtime: 'simulated', ...options })
}
