/** Node: columns, and what may be changed where. */
import { cidr, parseCidr } from '../addresses.ts'
import { equal } from '../equal.ts'
import { duplicate, type Errors, forbidden, invalid } from '../field-errors.ts'
import { labelValue, qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { Node, Taint } from '../types.ts'
import { ageColumn, column, wideColumn } from './columns.ts'
import { type DefinitionInput, keepStatus } from './define.ts'
import { checkAmount } from './resource-rules.ts'
import { collect, obey, oneOf } from './rules.ts'
import { TAINT_EFFECTS } from './scheduling-rules.ts'

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

function setDefaults(node: Node): void {
  const { status } = node
  if (status?.capacity && !status.allocatable) status.allocatable = { ...status.capacity }
}

function check(node: Node, errors: Errors): void {
  checkTaints(node.spec?.taints, errors)
  checkAmounts(node, errors)
  checkPodRanges(node.spec?.podCIDRs ?? [], errors)
}

function checkPodRanges(ranges: readonly string[], errors: Errors): void {
  const seen = new Set<string>()
  ranges.forEach((range, index) => {
    obey(range, cidr, `spec.podCIDRs[${index}]`, errors)
  })
  if (ranges.length < 2) return
  const families = new Set(ranges.map((range) => parseCidr(range)?.family))
  if (families.size < 2 || ranges.length > 2)
    errors.push(invalid('spec.podCIDRs', ranges, 'may specify no more than one CIDR for each IP family'))
  ranges.forEach((range, index) => {
    if (seen.has(range)) errors.push(duplicate(`spec.podCIDRs[${index}]`, range))
    seen.add(range)
  })
}

function checkAmounts(node: Node, errors: Errors): void {
  for (const list of ['capacity', 'allocatable'] as const) {
    const amounts = node.status?.[list]
    for (const name in amounts) {
      checkAmount(name, amounts[name] ?? '0', `status.${list}.${name}`, errors)
    }
  }
}

function checkTaints(taints: Taint[] | undefined, errors: Errors): void {
  const seen = new Set<string>()
  taints?.forEach((taint, index) => {
    // The field is the spec's, the path in the message is Kubernetes'.
    const path = `metadata.taints[${index}]`
    obey(taint.key ?? '', qualifiedName, `${path}.key`, errors)
    const complaints = labelValue(taint.value ?? '')
    if (complaints.length > 0) errors.push(invalid(`${path}.value`, taint.value ?? '', complaints.join(';')))
    oneOf(taint.effect, TAINT_EFFECTS, `${path}.effect`, errors, true)
    const pair = `${taint.key}:${taint.effect}`
    if (seen.has(pair)) {
      const value = { Key: taint.key, Value: taint.value ?? '', Effect: taint.effect, TimeAdded: taint.timeAdded ?? null }
      errors.push(duplicate(path, value, 'taints must be unique by key and effect pair'))
    }
    seen.add(pair)
  })
}

function checkUpdate(node: Node, old: Node, errors: Errors): void {
  checkTaints(node.spec?.taints, errors)
  checkAmounts(node, errors)
  const addresses = new Set<string>()
  node.status?.addresses?.forEach(({ type, address }, index) => {
    const key = `${type} ${address}`
    if (addresses.has(key)) errors.push(duplicate(`status.addresses[${index}]`, { Type: type, Address: address }))
    addresses.add(key)
  })
  const [spec, before] = [node.spec ?? {}, old.spec ?? {}]
  if ((spec.externalID ?? '') !== (before.externalID ?? '')) errors.push(forbidden('spec.externalID', 'may not be updated'))
  if (before.podCIDRs?.length && !equal(spec.podCIDRs, before.podCIDRs)) {
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
  }
  if (before.providerID && spec.providerID !== before.providerID) {
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
  }
}

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
  strategy: {
    defaults: (object: KubeObject) => setDefaults(node_(object)),
    prepareForUpdate: keepStatus,
    prepareForStatusUpdate: (object, old) => {
      object.spec = old.spec
    },
    validate: (object) => collect((errors) => check(node_(object), errors)),
    validateUpdate: (object, old) => collect((errors) => checkUpdate(node_(object), node_(old), errors)),
    validateStatusUpdate: (object, old) => collect((errors) => checkUpdate(node_(object), node_(old), errors)),
    countsGeneration: false,
  },
}
