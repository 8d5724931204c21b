/** `skiff/client`: talk to any Kubernetes, over HTTPS or in process. */
export type { Client, DeleteParameters, ListParameters, PatchType, ResourceRef, WriteParameters } from './client.ts'
export { createClient } from './create-client.ts'
export { createHttpTransport } from './http.ts'
export { createInProcessTransport } from './in-process.ts'
export { type ClusterAccess, loadKubeconfig } from './kubeconfig.ts'
export * as resources from './resources.ts'
export type { Transport, TransportRequest, TransportResponse } from './transport.ts'
