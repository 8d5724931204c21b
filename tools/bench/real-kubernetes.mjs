/**
 * What a real control plane does with the same requests: etcd 3.5 with Kubernetes 1.36 (API server, controller manager, scheduler), measured
 * on two otherwise idle cores that the load generator shared. Only good for ratios, and best on a machine of the same calibration.
 * Where a range was measured, its better end stands here.
 */
export const realKubernetes = {
  ready: { value: 3400, unit: 'ms', better: 'lower' },
  idleMemory: { value: 482, unit: 'MB', better: 'lower' },
  create: { value: 1020, unit: '/s', better: 'higher' },
  get: { value: 3200, unit: '/s', better: 'higher' },
  patchStatus: { value: 850, unit: '/s', better: 'higher' },
  apply: { value: 1390, unit: '/s', better: 'higher' },
  list: { value: 168, unit: 'ms', better: 'lower' },
  listByLabel: { value: 22, unit: 'ms', better: 'lower' },
  fanOut: { value: 53000, unit: '/s', better: 'higher' },
  delete: { value: 620, unit: '/s', better: 'higher' },
}
