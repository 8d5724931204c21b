/** Rules for the status of resource claims: which devices they got, for whom, and what is said of those. */
import { interfaceAddressComplaint } from '../addresses.ts'
import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, immutable, invalid, notSupported, required, tooLong, tooMany } from '../field-errors.ts'
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaimConsumerReference,
  ResourceV1ResourceClaim,
} from '../types.ts'
import { checkRequestName, checkRequestNames, requestNames } from './device-claim-rules.ts'
import { checkBinding, checkConfiguration, checkDeviceReference, checkItems, checkRawObject } from './device-rules.ts'
import { checkConditions, requireText } from './rules.ts'
import { checkNodeSelector } from './scheduling-rules.ts'

const MAX_RESERVED = 256
const MAX_RESULTS = 32
const MAX_CONFIGURATIONS = 64
const MAX_CONDITIONS = 8
const MAX_IPS = 16
const MAX_INTERFACE_LENGTH = 256
const MAX_HARDWARE_LENGTH = 128
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function checkClaimStatus(claim: ResourceV1ResourceClaim, old: ResourceV1ResourceClaim, errors: Errors): void {
  const [status, before] = [claim.status ?? {}, old.status ?? {}]
  checkItems(
    status.reservedFor,
    MAX_RESERVED,
    'status.reservedFor',
    errors,
    (consumer, path) => checkConsumer(consumer, path, errors),
    (consumer) => consumer.uid ?? '',
  )
  const allocated = new Set((status.allocation?.devices?.results ?? []).map(idOf))
  checkDevices(status.devices ?? [], allocated, errors)
  checkReservation(claim, before.reservedFor ?? [], errors)
  if (!status.allocation) return
  if (!before.allocation) checkAllocation(status.allocation, requestNames(claim.spec?.devices), errors)
  else if (!equal(status.allocation, before.allocation)) errors.push(immutable('status.allocation', status.allocation))
}

const idOf = ({
  driver,
  pool,
  device,
  shareID,
}: {
  driver: string
  pool: string
  device: string
  shareID?: string | undefined
}) => [driver, pool, device, ...(shareID ? [shareID] : [])].join('/')

function checkConsumer(consumer: ResourceClaimConsumerReference, path: string, errors: Errors): void {
  for (const field of ['resource', 'name', 'uid'] as const) requireText(consumer[field], `${path}.${field}`, errors)
}

/** Nobody is let in before there is something to use, or when the claim is on its way out. */
function checkReservation(
  { metadata, status }: ResourceV1ResourceClaim,
  before: readonly ResourceClaimConsumerReference[],
  errors: Errors,
): void {
  const reserved = status?.reservedFor ?? []
  const refuse = (detail: string) => errors.push(forbidden('status.reservedFor', detail))
  if (reserved.length === 0) return
  if (!status?.allocation) refuse('may not be specified when `allocated` is not set')
  else if (metadata.deletionTimestamp && reserved.some((consumer) => !before.some((other) => equal(consumer, other)))) {
    refuse('new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set')
  }
}

function checkDevices(devices: readonly AllocatedDeviceStatus[], allocated: ReadonlySet<string>, errors: Errors): void {
  const seen = new Set<string>()
  devices.forEach((device, index) => {
    const path = `status.devices[${index}]`
    checkDeviceReference(device, path, errors)
    checkShare(device.shareID, `${path}.shareID`, errors)
    const id = idOf(device)
    if (!allocated.has(id)) errors.push(invalid(path, id, 'must be an allocated device in the claim'))
    if (seen.has(id)) errors.push(duplicate(path, id))
    seen.add(id)
    const count = device.conditions?.length ?? 0
    if (count > MAX_CONDITIONS) errors.push(tooMany(`${path}.conditions`, count, MAX_CONDITIONS))
    checkConditions(device.conditions, `${path}.conditions`, errors)
    if (device.data !== undefined) checkRawObject(device.data, `${path}.data`, errors)
    if (device.networkData) checkNetwork(device.networkData, `${path}.networkData`, errors)
  })
}

function checkShare(id: string | undefined, path: string, errors: Errors): void {
  if (id === undefined || UUID.test(id)) return
  const form = '`xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters'
  errors.push(invalid(path, id, `uid must be in RFC 4122 normalized form, ${form}`))
}

function checkNetwork(data: NetworkDeviceData, path: string, errors: Errors): void {
  const { interfaceName = '', hardwareAddress = '', ips } = data
  if (interfaceName.length > MAX_INTERFACE_LENGTH) errors.push(tooLong(`${path}.interfaceName`, MAX_INTERFACE_LENGTH))
  if (hardwareAddress.length > MAX_HARDWARE_LENGTH) errors.push(tooLong(`${path}.hardwareAddress`, MAX_HARDWARE_LENGTH))
  checkItems(
    ips,
    MAX_IPS,
    `${path}.ips`,
    errors,
    (ip, at) => {
      const complaint = interfaceAddressComplaint(ip)
      if (complaint) errors.push(invalid(at, ip, complaint))
    },
    (ip) => ip,
  )
}

function checkAllocation(allocation: AllocationResult, names: ReadonlySet<string>, errors: Errors): void {
  const path = 'status.allocation'
  checkItems(allocation.devices?.results, MAX_RESULTS, `${path}.devices.results`, errors, (result, at) => {
    checkResult(result, names, at, errors)
  })
  checkItems(allocation.devices?.config, MAX_CONFIGURATIONS, `${path}.devices.config`, errors, (config, at) => {
    const sources = ['FromClaim', 'FromClass']
    if (!config.source) errors.push(required(`${at}.source`))
    else if (!sources.includes(config.source)) errors.push(notSupported(`${at}.source`, config.source, sources))
    checkRequestNames(config.requests, names, `${at}.requests`, errors)
    checkConfiguration(config, at, errors)
  })
  if (allocation.nodeSelector) checkNodeSelector(allocation.nodeSelector, `${path}.nodeSelector`, errors)
}

function checkResult(result: DeviceRequestAllocationResult, names: ReadonlySet<string>, path: string, errors: Errors): void {
  checkRequestName(result.request ?? '', names, `${path}.request`, errors)
  checkDeviceReference(result, path, errors)
  checkBinding(result, path, errors)
  checkShare(result.shareID, `${path}.shareID`, errors)
}
