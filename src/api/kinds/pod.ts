/** The definition of Pod: its subresources, columns and selectable fields. */
import type { KubeObject } from '../object.ts'
import type { DefinitionInput } from './define.ts'
import { podColumns } from './pod-columns.ts'
import { ephemeralContainersStrategy, podStrategy, resizeStrategy } from './pod-strategy.ts'

const v1 = (kind: string) => ({ group: '', version: 'v1', kind })
const CHANGE = ['get', 'patch', 'update'] as const
const STREAM = ['create', 'get'] as const
const PROXY = ['create', 'delete', 'get', 'patch', 'update'] as const

export const pod: DefinitionInput = {
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  status: true,
  subresources: [
    { name: 'attach', kind: v1('PodAttachOptions'), verbs: STREAM },
    { name: 'binding', kind: v1('Binding'), verbs: ['create'] },
    { name: 'ephemeralcontainers', kind: v1('Pod'), verbs: CHANGE, strategy: ephemeralContainersStrategy },
    { name: 'eviction', kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
    { name: 'exec', kind: v1('PodExecOptions'), verbs: STREAM },
    { name: 'log', kind: v1('Pod'), verbs: ['get'] },
    { name: 'portforward', kind: v1('PodPortForwardOptions'), verbs: STREAM },
    { name: 'proxy', kind: v1('PodProxyOptions'), verbs: PROXY },
    { name: 'resize', kind: v1('Pod'), verbs: CHANGE, strategy: resizeStrategy },
  ],
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': (object) => object.spec?.nodeName ?? '',
    'spec.restartPolicy': (object) => object.spec?.restartPolicy ?? '',
    'spec.schedulerName': (object) => object.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (object) => object.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': (object) => String(object.spec?.hostNetwork ?? false),
    'status.phase': (object) => object.status?.phase ?? '',
    'status.podIP': podIp,
    'status.podIPs': podIp,
    'status.nominatedNodeName': (object) => object.status?.nominatedNodeName ?? '',
  },
  strategy: podStrategy,
}

function podIp(object: KubeObject): string {
  return object.status?.podIPs?.[0]?.ip ?? object.status?.podIP ?? ''
}
