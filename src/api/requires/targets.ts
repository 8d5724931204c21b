/** What the target of a requirement means where it has to do with pods: kinds that have some, and hosts that are Services. Pure. */

/** Kinds as requirements may name them, without their group. */
const KINDS: readonly { kind: string; words: readonly string[] }[] = [
  { kind: 'Deployment', words: ['deployment', 'deployments', 'deploy'] },
  { kind: 'StatefulSet', words: ['statefulset', 'statefulsets', 'sts'] },
  { kind: 'DaemonSet', words: ['daemonset', 'daemonsets', 'ds'] },
  { kind: 'ReplicaSet', words: ['replicaset', 'replicasets', 'rs'] },
  { kind: 'ReplicationController', words: ['replicationcontroller', 'replicationcontrollers', 'rc'] },
  { kind: 'Job', words: ['job', 'jobs'] },
  { kind: 'Pod', words: ['pod', 'pods', 'po'] },
  { kind: 'Service', words: ['service', 'services', 'svc'] },
]

/** The kind that a requirement's word means; undefined for a kind that has no pods. */
export function podKindOf(word: string): string | undefined {
  const [name = ''] = word.toLowerCase().split('.')
  return KINDS.find(({ words }) => words.includes(name))?.kind
}

/** `db`, `db.shop`, `db.shop.svc…` name a Service, if there is one; addresses and longer names do not. */
export function serviceOfHost(host: string, namespace: string): { namespace: string; name: string } | undefined {
  if (/^[\d.]+$/.test(host) || host.includes(':')) return undefined
  const [name = '', where = namespace, svc] = host.split('.')
  return svc === undefined || svc === 'svc' ? { namespace: where, name } : undefined
}
