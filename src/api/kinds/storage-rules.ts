/** Rules for the kinds of storage.k8s.io/v1. */
import { equal } from '../equal.ts'
import { duplicate, type Errors, forbidden, invalid, notSupported, required, tooLong } from '../field-errors.ts'
import { dnsSubdomain, qualifiedName } from '../names.ts'
import { tryParseQuantity } from '../quantity.ts'
import type {
  CSIDriver,
  CSINode,
  CSINodeDriver,
  CSIStorageCapacity,
  PersistentVolumeSpec,
  StorageClass,
  StorageV1TokenRequest,
  TopologySelectorTerm,
  VolumeAttachment,
  VolumeAttributesClass,
  VolumeError,
} from '../types.ts'
import { checkAccessModes } from './claim-rules.ts'
import { checkImmutable, checkSelector, NOT_NEGATIVE, nonNegative, obey, oneOf, requireText } from './rules.ts'
import { checkDriverName } from './volume-rules.ts'

const MAX_PARAMETERS = 512
const MAX_PARAMETER_BYTES = 256 * 1024

function checkProvisioner(name: string | undefined, path: string, errors: Errors): void {
  if (!name) return void errors.push(required(path))
  for (const complaint of qualifiedName(name.toLowerCase())) errors.push(invalid(path, name, complaint))
}

function checkParameters(parameters: Record<string, string> = {}, path: string, errors: Errors): void {
  if (Object.keys(parameters).length > MAX_PARAMETERS) return void errors.push(tooLong(path, MAX_PARAMETERS))
  if (Object.hasOwn(parameters, '')) errors.push(invalid(path, '', 'field can not be empty.'))
  if (bytesOf(parameters) > MAX_PARAMETER_BYTES) errors.push(tooLong(path, MAX_PARAMETER_BYTES))
}

function bytesOf(map: Record<string, string>): number {
  let bytes = 0
  for (const key in map) bytes += Buffer.byteLength(key) + Buffer.byteLength(map[key] ?? '')
  return bytes
}

export function checkClass(storageClass: StorageClass, errors: Errors): void {
  const { reclaimPolicy, volumeBindingMode, allowedTopologies = [] } = storageClass
  checkProvisioner(storageClass.provisioner, 'provisioner', errors)
  checkParameters(storageClass.parameters, 'parameters', errors)
  oneOf(reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy', errors)
  const modes = ['Immediate', 'WaitForFirstConsumer']
  if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'))
  else if (!modes.includes(volumeBindingMode)) errors.push(notSupported('volumeBindingMode', volumeBindingMode, modes))
  checkTopologies(allowedTopologies, errors)
}

function checkTopologies(terms: readonly TopologySelectorTerm[], errors: Errors): void {
  const before: Record<string, string[]>[] = []
  terms.forEach((term, index) => {
    const path = `allowedTopologies[${index}].matchLabelExpressions`
    const wanted = checkTopology(term, path, errors)
    if (before.some((other) => equal(other, wanted))) errors.push(duplicate(path, ''))
    before.push(wanted)
  })
}

/** Gives the values of each key, in order. */
function checkTopology(term: TopologySelectorTerm, path: string, errors: Errors): Record<string, string[]> {
  const wanted: Record<string, string[]> = {}
  term.matchLabelExpressions?.forEach((expression, index) => {
    const { key = '' } = expression
    const values = expression.values ?? []
    const at = `${path}[${index}]`
    if (values.length === 0) errors.push(required(`${at}.values`))
    values.forEach((value, i) => {
      if (values.indexOf(value) < i) errors.push(duplicate(`${at}.values[${i}]`, value))
    })
    obey(key, qualifiedName, `${at}.key`, errors)
    if (Object.hasOwn(wanted, key)) errors.push(duplicate(`${at}.key`, key))
    wanted[key] = [...new Set(values)].sort()
  })
  return wanted
}

export function checkAttributesClass(attributes: VolumeAttributesClass, errors: Errors): void {
  checkProvisioner(attributes.driverName, 'driverName', errors)
  checkParameters(attributes.parameters, 'parameters', errors)
  const isEmpty = Object.keys(attributes.parameters ?? {}).length === 0
  if (isEmpty) errors.push(required('parameters', 'must contain at least one key/value pair'))
}

const MIN_TOKEN_SECONDS = 600
const MAX_TOKEN_SECONDS = 2 ** 32
const MIN_UPDATE_SECONDS = 10

export function checkDriver({ metadata, spec }: CSIDriver, errors: Errors): void {
  // The field has no path of its own.
  checkDriverName(metadata.name, 'name', errors)
  oneOf(spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], 'spec.fsGroupPolicy', errors)
  for (const mode of spec.volumeLifecycleModes ?? []) {
    const modes = ['Persistent', 'Ephemeral']
    if (!modes.includes(mode)) errors.push(notSupported('spec.volumeLifecycleModes', mode, modes))
  }
  checkTokens(spec.tokenRequests, errors)
  const { nodeAllocatableUpdatePeriodSeconds: period, serviceAccountTokenInSecrets: inSecrets } = spec
  if (period !== undefined && period < MIN_UPDATE_SECONDS) {
    const detail = `must be greater than or equal to ${MIN_UPDATE_SECONDS} seconds`
    errors.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, detail))
  }
  if (inSecrets !== undefined && !spec.tokenRequests?.length) {
    const detail = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified'
    errors.push(invalid('spec.serviceAccountTokenInSecrets', inSecrets, detail))
  }
}

function checkTokens(requests: StorageV1TokenRequest[] = [], errors: Errors): void {
  const audiences = new Set<string>()
  for (const [index, { audience, expirationSeconds: seconds }] of requests.entries()) {
    const path = `spec.tokenRequests[${index}]`
    if (audiences.has(audience)) errors.push(duplicate(`${path}.audience`, audience))
    else if (seconds !== undefined) {
      const refuse = (detail: string) => errors.push(invalid(`${path}.expirationSeconds`, seconds, `may not specify ${detail}`))
      if (seconds < MIN_TOKEN_SECONDS) refuse('a duration less than 10 minutes')
      if (seconds > MAX_TOKEN_SECONDS) refuse('a duration larger than 2^32 seconds')
    }
    audiences.add(audience)
  }
}

export function checkDriverUpdate(driver: CSIDriver, old: CSIDriver, errors: Errors): void {
  checkDriver(driver, errors)
  // The word in the first path is Kubernetes'.
  checkImmutable(driver.spec.attachRequired, old.spec.attachRequired, 'spec.attachedRequired', errors)
  checkImmutable(driver.spec.volumeLifecycleModes, old.spec.volumeLifecycleModes, 'spec.volumeLifecycleModes', errors)
}

const MAX_NODE_ID_LENGTH = 192

export function checkNode(node: CSINode, errors: Errors): void {
  const names = new Set<string>()
  node.spec?.drivers?.forEach((driver, index) => {
    const path = `spec.drivers[${index}]`
    checkNodeDriver(driver, path, errors)
    if (names.has(driver.name)) errors.push(duplicate(`${path}.name`, driver.name))
    names.add(driver.name)
  })
}

function checkNodeDriver(driver: CSINodeDriver, path: string, errors: Errors): void {
  const { name, nodeID = '', allocatable } = driver
  const topologyKeys = driver.topologyKeys ?? []
  checkDriverName(name, `${path}.name`, errors)
  requireText(nodeID, `${path}.nodeID`, errors)
  if (nodeID.length > MAX_NODE_ID_LENGTH) {
    errors.push(invalid(`${path}.nodeID`, nodeID, `must be ${MAX_NODE_ID_LENGTH} characters or less`))
  }
  nonNegative(allocatable?.count, `${path}.allocatable.count`, errors)
  topologyKeys.forEach((key, index) => {
    if (key === '') errors.push(required(path))
    if (topologyKeys.indexOf(key) < index) errors.push(duplicate(path, key))
    obey(key, qualifiedName, path, errors)
  })
}

/** How many volumes a driver can take may change; what it calls the node may not. */
export function checkNodeUpdate(node: CSINode, old: CSINode, errors: Errors): void {
  checkNode(node, errors)
  for (const before of old.spec?.drivers ?? []) {
    for (const driver of node.spec?.drivers ?? []) {
      if (driver.name !== before.name) continue
      if (driver.nodeID === before.nodeID && equal(driver.topologyKeys, before.topologyKeys)) continue
      errors.push(invalid('spec.drivers', driver.name, 'field is immutable'))
    }
  }
}

export function checkCapacity(capacity: CSIStorageCapacity, errors: Errors): void {
  checkSelector(capacity.nodeTopology, 'nodeTopology', errors)
  obey(capacity.storageClassName ?? '', dnsSubdomain, 'storageClassName', errors)
  for (const field of ['capacity', 'maximumVolumeSize'] as const) {
    const amount = tryParseQuantity(capacity[field])
    if (amount && amount.nano < 0n) errors.push(invalid(field, capacity[field], NOT_NEGATIVE))
  }
}

export function checkAttachment({ spec, status }: VolumeAttachment, errors: Errors): void {
  checkDriverName(spec?.attacher, 'spec.attacher', errors)
  const { inlineVolumeSpec: inline, persistentVolumeName: volume } = spec?.source ?? {}
  const path = 'spec.source'
  const rule = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (inline && volume !== undefined) errors.push(forbidden(path, rule))
  else if (inline) checkInline(inline, `${path}.inlineVolumeSpec`, errors)
  else if (volume === undefined) errors.push(required(path, rule))
  else if (volume === '') errors.push(required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'))
  if (volume !== undefined) obey(volume, dnsSubdomain, `${path}.persistentVolumeName`, errors)
  obey(spec?.nodeName ?? '', dnsSubdomain, 'spec.nodeName', errors)
  if (bytesOf(status?.attachmentMetadata ?? {}) > MAX_PARAMETER_BYTES) {
    errors.push(tooLong('status.attachmentMetadata', MAX_PARAMETER_BYTES))
  }
  checkVolumeError(status?.attachError, 'status.attachError', errors)
  checkVolumeError(status?.detachError, 'status.detachError', errors)
}

const MAX_ERROR_LENGTH = 1024

function checkVolumeError(error: VolumeError | undefined, path: string, errors: Errors): void {
  // The limit in the message is Kubernetes', not the one that holds.
  if ((error?.message?.length ?? 0) > MAX_ERROR_LENGTH) errors.push(tooLong(`${path}.message`, MAX_PARAMETER_BYTES))
  const code = error?.errorCode
  if (code !== undefined && code < 0) {
    errors.push(invalid(`${path}.errorCode`, code, 'must be between 0 and 2147483647, inclusive'))
  }
}

/** A volume that has no object of its own: of a CSI driver, and without what only objects have. */
function checkInline(spec: PersistentVolumeSpec, path: string, errors: Errors): void {
  const context = 'in the context of inline volumes'
  const refuse = (field: string, detail: string) => errors.push(forbidden(`${path}.${field}`, `${detail} ${context}`))
  if (spec.claimRef) refuse('claimRef', 'may not be specified')
  if (Object.keys(spec.capacity ?? {}).length > 0) refuse('capacity', 'may not be specified')
  if (spec.nodeAffinity) refuse('nodeAffinity', 'may not be specified')
  if (spec.storageClassName) refuse('storageClassName', 'may not be specified')
  const { persistentVolumeReclaimPolicy: policy, volumeMode: mode } = spec
  if (policy && policy !== 'Retain') refuse('persistentVolumeReclaimPolicy', 'may only be Retain')
  if (mode && mode !== 'Filesystem') refuse('volumeMode', 'may not specify volumeMode other than Filesystem')
  if (!spec.accessModes?.length) errors.push(required(`${path}.accessModes`))
  else checkAccessModes(spec.accessModes, `${path}.accessModes`, errors)
  if (!spec.csi) errors.push(required(`${path}.csi`, `has to be specified ${context}`))
  else {
    checkDriverName(spec.csi.driver, `${path}.csi.driver`, errors)
    requireText(spec.csi.volumeHandle, `${path}.csi.volumeHandle`, errors)
  }
}
