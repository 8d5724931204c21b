/** The default FlowSchemas and PriorityLevelConfigurations: which requests queue with which, and how many run at once. */
import type { KubeObject } from '../../api/object.ts'
import { danglingOf } from '../fairness/dangling.ts'

const FLOW_CONTROL = 'flowcontrol.apiserver.k8s.io'

interface Level {
  shares: number
  lendable: number
  queues?: number
  handSize?: number
}

const QUEUE_LENGTH = 50
const LEVELS: Readonly<Record<string, Level>> = {
  'catch-all': { shares: 5, lendable: 0 },
  'global-default': { shares: 20, lendable: 50, queues: 128, handSize: 6 },
  'leader-election': { shares: 10, lendable: 0, queues: 16, handSize: 4 },
  'node-high': { shares: 40, lendable: 25, queues: 64, handSize: 6 },
  system: { shares: 30, lendable: 33, queues: 64, handSize: 6 },
  'workload-high': { shares: 40, lendable: 50, queues: 128, handSize: 6 },
  'workload-low': { shares: 100, lendable: 90, queues: 128, handSize: 6 },
}

/** `now` is when the flow schemas were found to be in order. */
export function flowControlObjects(now: string): KubeObject[] {
  const exempt = { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }
  return [
    made('PriorityLevelConfiguration', 'exempt', exempt),
    ...Object.entries(LEVELS).map(([name, level]) => made('PriorityLevelConfiguration', name, limited(level))),
    ...flowSchemas().map((schema) => {
      const conditions = [{ ...danglingOf(schema.spec.priorityLevelConfiguration.name, true), lastTransitionTime: now }]
      return { ...schema, status: { conditions } }
    }),
  ]
}

function limited({ shares, lendable, queues, handSize }: Level): object {
  const queuing = { queues, handSize, queueLengthLimit: QUEUE_LENGTH }
  const limitResponse = queues === undefined ? { type: 'Reject' } : { type: 'Queue', queuing }
  return { type: 'Limited', limited: { nominalConcurrencyShares: shares, lendablePercent: lendable, limitResponse } }
}

function made(kind: string, name: string, spec: object): KubeObject {
  const metadata = { name, generation: 1, annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } }
  return { kind, apiVersion: `${FLOW_CONTROL}/v1`, metadata, spec, status: {} }
}

const user = (name: string) => ({ kind: 'User', user: { name } })
const group = (name: string) => ({ kind: 'Group', group: { name } })
const account = (name: string) => ({ kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name } })
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')]
const ALL_RESOURCES = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }
const ALL_PATHS = { verbs: ['*'], nonResourceURLs: ['*'] }

/** Requests of `subjects` to everything, unless `resources` narrows it. */
function flow(
  name: string,
  level: string,
  precedence: number,
  by: 'ByUser' | 'ByNamespace' | undefined,
  subjects: object[],
  rules: { resourceRules?: object[]; nonResourceRules?: object[] } = {
    resourceRules: [ALL_RESOURCES],
    nonResourceRules: [ALL_PATHS],
  },
): KubeObject {
  return made('FlowSchema', name, {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: precedence,
    ...(by && { distinguisherMethod: { type: by } }),
    rules: [{ subjects, ...rules }],
  })
}

function narrowed(verbs: string[], apiGroups: string[], resources: string[], scope: object): { resourceRules: object[] } {
  return { resourceRules: [{ verbs, apiGroups, resources, ...scope }] }
}

function flowSchemas(): KubeObject[] {
  const manage = ['get', 'create', 'update']
  const everywhere = { namespaces: ['*'] }
  const leases = (scope: object) => narrowed(manage, ['coordination.k8s.io'], ['leases'], scope)
  const [manager, scheduler] = [user('system:kube-controller-manager'), user('system:kube-scheduler')]
  const nodes = [group('system:nodes')]
  const nodeHigh = [
    { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true, namespaces: ['*'] },
    { verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] },
  ]
  const probes = [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }]
  const endpoints = [account('endpoint-controller'), account('endpointslicemirroring-controller')]
  return [
    flow('exempt', 'exempt', 1, undefined, [group('system:masters')]),
    flow('probes', 'exempt', 2, undefined, EVERYBODY, { nonResourceRules: probes }),
    flow(
      'system-leader-election',
      'leader-election',
      100,
      'ByUser',
      [manager, scheduler, account('*')],
      leases({ namespaces: ['kube-system'] }),
    ),
    flow(
      'endpoint-controller',
      'workload-high',
      150,
      'ByUser',
      [manager, ...endpoints],
      narrowed(manage, [''], ['endpoints'], everywhere),
    ),
    flow('workload-leader-election', 'leader-election', 200, 'ByUser', [account('*')], leases(everywhere)),
    flow('system-node-high', 'node-high', 400, 'ByUser', nodes, { resourceRules: nodeHigh }),
    flow('system-nodes', 'system', 500, 'ByUser', nodes),
    flow('kube-controller-manager', 'workload-high', 800, 'ByNamespace', [manager]),
    flow('kube-scheduler', 'workload-high', 800, 'ByNamespace', [scheduler]),
    flow('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', [group('system:serviceaccounts:kube-system')]),
    flow('service-accounts', 'workload-low', 9000, 'ByUser', [group('system:serviceaccounts')]),
    flow('global-default', 'global-default', 9900, 'ByUser', EVERYBODY),
    flow('catch-all', 'catch-all', 10000, 'ByUser', EVERYBODY),
  ]
}
