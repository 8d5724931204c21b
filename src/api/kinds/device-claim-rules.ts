/** Defaults and rules for what resource claims ask of devices. */
import type { Errors } from '../field-errors.ts'
import { duplicate, invalid, required, tooMany } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../names.ts'
import type { DeviceRequest, DeviceSubRequest, ResourceClaimSpec } from '../types.ts'
import { oneOf, requireName } from './rules.ts'

const MAX_REQUESTS = 32
const MAX_ALTERNATIVES = 8

export function defaultClaimSpec(spec: ResourceClaimSpec | undefined): void {
  for (const request of spec?.devices?.requests ?? []) {
    const ways = request.exactly ? [request.exactly] : (request.firstAvailable ?? [])
    for (const way of ways) {
      way.allocationMode ||= 'ExactCount'
      if (way.allocationMode === 'ExactCount') way.count ||= 1
      for (const toleration of way.tolerations ?? []) toleration.operator ||= 'Equal'
    }
  }
}

export function checkClaimSpec(spec: ResourceClaimSpec | undefined, path: string, errors: Errors): void {
  const requests = spec?.devices?.requests ?? []
  const at = `${path}.devices.requests`
  if (requests.length > MAX_REQUESTS) errors.push(tooMany(at, requests.length, MAX_REQUESTS))
  const names = new Set<string>()
  requests.forEach((request, index) => {
    checkRequest(request, `${at}[${index}]`, errors)
    if (names.has(request.name)) errors.push(duplicate(`${at}[${index}].name`, request.name))
    names.add(request.name)
  })
}

function checkRequest(request: DeviceRequest, path: string, errors: Errors): void {
  requireName(request.name, dnsLabel, `${path}.name`, errors)
  const { exactly, firstAvailable } = request
  const rule = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly && firstAvailable?.length) errors.push(invalid(path, null, `${rule}, but multiple fields are set`))
  else if (exactly) checkWay(exactly, `${path}.exactly`, errors)
  else if (!firstAvailable?.length) errors.push(required(path, rule))
  else checkAlternatives(firstAvailable, `${path}.firstAvailable`, errors)
}

function checkAlternatives(alternatives: readonly DeviceSubRequest[], path: string, errors: Errors): void {
  if (alternatives.length > MAX_ALTERNATIVES) errors.push(tooMany(path, alternatives.length, MAX_ALTERNATIVES))
  const names = new Set<string>()
  alternatives.forEach((alternative, index) => {
    const at = `${path}[${index}]`
    requireName(alternative.name, dnsLabel, `${at}.name`, errors)
    checkWay(alternative, at, errors)
    if (names.has(alternative.name)) errors.push(duplicate(`${at}.name`, alternative.name))
    names.add(alternative.name)
  })
}

interface Way {
  deviceClassName: string
  allocationMode?: string | undefined
  count?: number | undefined
}

function checkWay({ deviceClassName, allocationMode, count = 0 }: Way, path: string, errors: Errors): void {
  requireName(deviceClassName, dnsSubdomain, `${path}.deviceClassName`, errors)
  oneOf(allocationMode, ['All', 'ExactCount'], `${path}.allocationMode`, errors)
  const at = `${path}.count`
  if (allocationMode === 'ExactCount' && count <= 0) errors.push(invalid(at, count, 'must be greater than zero'))
  if (allocationMode === 'All' && count !== 0) {
    errors.push(invalid(at, count, "must not be specified when allocationMode is 'All'"))
  }
}
