/** Rules for ResourceSlices: the devices that a driver offers, where they are, what they can do and what they share. */
import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { invalid, required, tooLong, tooMany } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../names.ts'
import type { Counter, Device, DeviceAttribute, NodeSelector, ResourceSlice, ResourceSliceSpec } from '../types.ts'
import { checkCapacity } from './device-capacity-rules.ts'
import { checkBinding, checkDeviceName, checkItems, checkPartName, checkPoolName, checkTaint } from './device-rules.ts'
import { checkImmutable, obey, requireName } from './rules.ts'
import { checkNodeSelector } from './scheduling-rules.ts'
import { checkDriverName } from './volume-rules.ts'

const MAX_DEVICES = 128
/** Where devices have taints or use counters. */
const MAX_ADVANCED_DEVICES = 64
const MAX_COUNTER_SETS = 8
const MAX_COUNTERS = 32
const MAX_CONSUMPTIONS = 2
const MAX_PARTS = 32
const MAX_TAINTS = 16
const MAX_VALUE_LENGTH = 64
/** How much of a name is shown in a path. */
const MAX_SHOWN = 96

export function checkSlice({ spec }: ResourceSlice, old: ResourceSlice | undefined, errors: Errors): void {
  checkDriverName(spec.driver, 'spec.driver', errors)
  checkPool(spec, errors)
  if (old) {
    checkImmutable(spec.pool?.name, old.spec.pool?.name, 'spec.pool.name', errors)
    checkImmutable(spec.driver, old.spec.driver, 'spec.driver', errors)
    checkImmutable(spec.nodeName, old.spec.nodeName, 'spec.nodeName', errors)
  }
  checkNodes(spec, errors)
  if (spec.sharedCounters && spec.devices) {
    errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'))
  }
  const advanced = spec.devices?.some(({ taints, consumesCounters }) => taints?.length || consumesCounters?.length)
  checkItems(
    spec.devices,
    advanced ? MAX_ADVANCED_DEVICES : MAX_DEVICES,
    'spec.devices',
    errors,
    (device, path) => {
      const before = old?.spec.devices?.find(({ name }) => name === device.name)
      checkDevice(device, before, spec.perDeviceNodeSelection ?? false, path, errors)
    },
    ({ name }) => name ?? '',
  )
  checkItems(
    spec.sharedCounters,
    MAX_COUNTER_SETS,
    'spec.sharedCounters',
    errors,
    ({ name, counters }, path) => {
      requireName(name, dnsLabel, `${path}.name`, errors)
      checkCounters(counters, `${path}.counters`, errors)
    },
    ({ name }) => name ?? '',
  )
}

function checkPool({ pool }: ResourceSliceSpec, errors: Errors): void {
  const { name, resourceSliceCount = 0, generation = 0 } = pool ?? {}
  checkPoolName(name, 'spec.pool.name', errors)
  if (resourceSliceCount <= 0) {
    errors.push(invalid('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'))
  }
  if (generation < 0) errors.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'))
}

const UNSET_OR_TRUE = 'must be either unset or set to true'

/** Where the devices are is said in one way. */
function checkNodes(spec: ResourceSliceSpec, errors: Errors): void {
  const ways = checkPlace(spec, 'spec', 'must be either unset or set to a non-empty string', errors)
  const terms = spec.nodeSelector?.nodeSelectorTerms
  if (spec.nodeSelector && terms?.length !== 1) {
    const detail = 'must have exactly one node selector term'
    errors.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms ?? null, detail))
  }
  if (spec.perDeviceNodeSelection) ways.push('`perDeviceNodeSelection`')
  else if (spec.perDeviceNodeSelection === false) {
    errors.push(invalid('spec.perDeviceNodeSelection', false, UNSET_OR_TRUE))
  }
  const rule = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (ways.length === 0) errors.push(required('spec', rule))
  if (ways.length > 1) errors.push(invalid('spec', `{${ways.join(', ')}}`, `${rule}, but multiple fields are set`))
}

interface Place {
  readonly nodeName?: string | undefined
  readonly nodeSelector?: NodeSelector | undefined
  readonly allNodes?: boolean | undefined
}

/** Gives the ways in which a place is said. */
function checkPlace({ nodeName, nodeSelector, allNodes }: Place, path: string, emptyName: string, errors: Errors): string[] {
  const ways: string[] = []
  if (nodeName) {
    ways.push('`nodeName`')
    obey(nodeName, dnsSubdomain, `${path}.nodeName`, errors)
  } else if (nodeName === '') errors.push(invalid(`${path}.nodeName`, nodeName, emptyName))
  if (nodeSelector) {
    ways.push('`nodeSelector`')
    checkNodeSelector(nodeSelector, `${path}.nodeSelector`, errors)
  }
  if (allNodes) ways.push('`allNodes`')
  else if (allNodes === false) errors.push(invalid(`${path}.allNodes`, false, UNSET_OR_TRUE))
  return ways
}

function checkDevice(device: Device, before: Device | undefined, placed: boolean, path: string, errors: Errors): void {
  checkDeviceName(device.name, `${path}.name`, errors)
  const { attributes = {}, capacity = {}, taints } = device
  const parts = Object.keys(attributes).length + Object.keys(capacity).length
  if (parts > MAX_PARTS) {
    errors.push(invalid(path, parts, `the total number of attributes and capacities must not exceed ${MAX_PARTS}`))
  }
  for (const name in attributes) {
    const at = `${path}.attributes[${shortened(name)}]`
    checkPartName(name, at, errors)
    checkAttribute(attributes[name] ?? {}, at, errors)
  }
  for (const name in capacity) {
    const at = `${path}.capacity[${shortened(name)}]`
    checkPartName(name, at, errors)
    checkCapacity(capacity[name] ?? { value: '0' }, device.allowMultipleAllocations ?? false, at, errors)
  }
  if (!before || !equal(taints, before.taints)) {
    checkItems(taints, MAX_TAINTS, `${path}.taints`, errors, (taint, at) => checkTaint(taint, at, errors))
  }
  checkItems(
    device.consumesCounters,
    MAX_CONSUMPTIONS,
    `${path}.consumesCounters`,
    errors,
    ({ counterSet, counters }, at) => {
      requireName(counterSet, dnsLabel, `${at}.counterSet`, errors)
      checkCounters(counters, `${at}.counters`, errors)
    },
    ({ counterSet }) => counterSet ?? '',
  )
  checkDevicePlace(device, placed, path, errors)
  checkBinding(device, path, errors)
}

const IN_SLICE = '`perDeviceNodeSelection` is set to true in the ResourceSlice spec'

function checkDevicePlace(device: Device, placed: boolean, path: string, errors: Errors): void {
  if (!placed) {
    const given = device.nodeName ?? device.nodeSelector ?? device.allNodes
    const detail = `\`nodeName\`, \`nodeSelector\` and \`allNodes\` can only be set if ${IN_SLICE}`
    if (given !== undefined) errors.push(invalid(path, null, detail))
    return
  }
  const ways = checkPlace(device, path, 'must not be empty', errors)
  const rule = `exactly one of \`nodeName\`, \`nodeSelector\`, or \`allNodes\` is required when ${IN_SLICE}`
  if (ways.length === 0) errors.push(required(path, rule))
  if (ways.length > 1) errors.push(invalid(path, `{${ways.join(', ')}}`, rule))
}

const VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/
const VALUES = ['int', 'bool', 'string', 'version'] as const

function checkAttribute(attribute: DeviceAttribute, path: string, errors: Errors): void {
  const { string: text, version } = attribute
  if (text !== undefined && text.length > MAX_VALUE_LENGTH) errors.push(tooLong(`${path}.string`, MAX_VALUE_LENGTH))
  if (version !== undefined) {
    const detail = 'must be a string compatible with semver.org spec 2.0.0'
    if (!VERSION.test(version)) errors.push(invalid(`${path}.version`, version, detail))
    if (version.length > MAX_VALUE_LENGTH) errors.push(tooLong(`${path}.version`, MAX_VALUE_LENGTH))
  }
  const given = VALUES.filter((name) => attribute[name] !== undefined)
  if (given.length === 0) errors.push(invalid(path, '', 'exactly one value must be specified'))
  if (given.length > 1) {
    const { int = null, bool = null } = attribute
    const asGo = { IntValue: int, BoolValue: bool, StringValue: text ?? null, VersionValue: version ?? null }
    errors.push(invalid(path, asGo, 'exactly one value must be specified'))
  }
}

function checkCounters(counters: Record<string, Counter> | undefined, path: string, errors: Errors): void {
  const names = Object.keys(counters ?? {})
  if (names.length === 0) errors.push(required(path))
  else if (names.length > MAX_COUNTERS) errors.push(tooMany(path, names.length, MAX_COUNTERS))
  else for (const name of names) obey(name, dnsLabel, `${path}[${name}]`, errors)
}

function shortened(name: string): string {
  if (name.length <= MAX_SHOWN) return name
  const kept = MAX_SHOWN - 3
  return `${name.slice(0, (kept + 1) >> 1)}...${name.slice(name.length - (kept >> 1))}`
}
