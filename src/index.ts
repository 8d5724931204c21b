/** `import { startCluster } from 'skiff'`: a whole Kubernetes inside this process. */
export { type Cluster, type ClusterOptions, type RuntimeName, startCluster } from './cluster.ts'
