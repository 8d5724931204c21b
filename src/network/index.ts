/** Services, NodePorts and cluster DNS, for whoever composes a cluster. */
export { createServiceNetwork, type ServiceNetwork, type ServiceNetworkOptions } from './service-network.ts'
