/** Node: columns, and what may be changed where. */
import type { Node } from '../types.ts'
import { ageColumn, column, wideColumn } from './columns.ts'
import type { DefinitionInput } from './define.ts'

const node_ = (object: object) => object as Node
const info = (object: object) => node_(object).status?.nodeInfo

function status(node: Node): string {
  const ready = node.status?.conditions?.find((c) => c.type === 'Ready')
  const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return node.spec?.unschedulable ? `${state},SchedulingDisabled` : state
}

const ROLE_PREFIX = 'node-role.kubernetes.io/'

function roles(node: Node): string {
  const found = new Set<string>()
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) found.add(key.slice(ROLE_PREFIX.length))
    else if (key === 'kubernetes.io/role' && value) found.add(value)
  }
  return [...found].sort().join(',') || '<none>'
}

const address = (node: Node, type: string) => node.status?.addresses?.find((a) => a.type === type)?.address ?? '<none>'

export const node: DefinitionInput = {
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  status: true,
  subresources: [
    {
      name: 'proxy',
      kind: { group: '', version: 'v1', kind: 'NodeProxyOptions' },
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
    },
  ],
  columns: [
    column('Status', (object) => status(node_(object))),
    column('Roles', (object) => roles(node_(object))),
    ageColumn,
    column('Version', (object) => info(object)?.kubeletVersion ?? ''),
    wideColumn('Internal-IP', (object) => address(node_(object), 'InternalIP')),
    wideColumn('External-IP', (object) => address(node_(object), 'ExternalIP')),
    wideColumn('OS-Image', (object) => info(object)?.osImage || '<unknown>'),
    wideColumn('Kernel-Version', (object) => info(object)?.kernelVersion || '<unknown>'),
    wideColumn('Container-Runtime', (object) => info(object)?.containerRuntimeVersion || '<unknown>'),
  ],
  selectableFields: { 'spec.unschedulable': (object) => String(object.spec?.unschedulable ?? false) },
}
