/** Defaults and rules for what resource claims ask of devices. */
import type { Errors } from '../field-errors.ts'
import { invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel } from '../names.ts'
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ResourceClaimSpec,
} from '../types.ts'
import {
  checkClassName,
  checkConfiguration,
  checkFullPartName,
  checkItems,
  checkSelectors,
  checkToleration,
  MAX_CONFIGURATIONS,
  MAX_REQUESTS,
} from './device-rules.ts'
import { obey } from './rules.ts'

const MAX_ALTERNATIVES = 8
const MAX_CONSTRAINTS = 32

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
  const devices = spec?.devices ?? {}
  const at = `${path}.devices`
  const names = requestNames(devices)
  checkItems(
    devices.requests,
    MAX_REQUESTS,
    `${at}.requests`,
    errors,
    (request, place) => checkRequest(request, place, errors),
    (request) => request.name ?? '',
  )
  checkItems(devices.constraints, MAX_CONSTRAINTS, `${at}.constraints`, errors, (constraint, place) => {
    checkConstraint(constraint, names, place, errors)
  })
  checkItems(devices.config, MAX_CONFIGURATIONS, `${at}.config`, errors, (config, place) => {
    checkRequestNames(config.requests, names, `${place}.requests`, errors)
    checkConfiguration(config, place, errors)
  })
}

/** The names of requests, and those of their alternatives after a slash. */
export function requestNames(claim: DeviceClaim | undefined): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { name, firstAvailable } of claim?.requests ?? []) {
    names.add(name)
    for (const alternative of firstAvailable ?? []) names.add(`${name}/${alternative.name}`)
  }
  return names
}

export function checkRequestNames(given: string[] | undefined, names: ReadonlySet<string>, path: string, errors: Errors): void {
  checkItems(
    given,
    MAX_REQUESTS,
    path,
    errors,
    (name, at) => checkRequestName(name, names, at, errors),
    (name) => name,
  )
}

const NO_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

export function checkRequestName(name: string, names: ReadonlySet<string>, path: string, errors: Errors): void {
  const segments = name.split('/')
  if (segments.length <= 2) for (const segment of segments) obey(segment, dnsLabel, path, errors)
  if (!names.has(name)) errors.push(invalid(path, name, NO_REQUEST))
}

function checkRequest(request: DeviceRequest, path: string, errors: Errors): void {
  obey(request.name ?? '', dnsLabel, `${path}.name`, errors)
  const { exactly, firstAvailable } = request
  const rule = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly && firstAvailable?.length) errors.push(invalid(path, null, `${rule}, but multiple fields are set`))
  else if (exactly) checkWay(exactly, `${path}.exactly`, errors)
  else if (!firstAvailable?.length) errors.push(required(path, rule))
  else checkAlternatives(firstAvailable, `${path}.firstAvailable`, errors)
}

function checkAlternatives(alternatives: readonly DeviceSubRequest[], path: string, errors: Errors): void {
  checkItems(
    alternatives,
    MAX_ALTERNATIVES,
    path,
    errors,
    (alternative, at) => {
      obey(alternative.name ?? '', dnsLabel, `${at}.name`, errors)
      checkWay(alternative, at, errors)
    },
    (alternative) => alternative.name ?? '',
  )
}

interface Way {
  deviceClassName: string
  selectors?: DeviceSelector[] | undefined
  allocationMode?: string | undefined
  count?: number | undefined
  tolerations?: DeviceToleration[] | undefined
}

function checkWay(way: Way, path: string, errors: Errors): void {
  const { allocationMode: mode, count = 0 } = way
  checkClassName(way.deviceClassName, `${path}.deviceClassName`, errors)
  checkSelectors(way.selectors, `${path}.selectors`, errors)
  const at = `${path}.count`
  if (mode === 'ExactCount') {
    if (count <= 0) errors.push(invalid(at, count, 'must be greater than zero'))
  } else if (mode === 'All') {
    if (count !== 0) errors.push(invalid(at, count, "must not be specified when allocationMode is 'All'"))
  } else errors.push(notSupported(`${path}.allocationMode`, mode ?? '', ['All', 'ExactCount']))
  way.tolerations?.forEach((toleration, index) => {
    checkToleration(toleration, `${path}.tolerations[${index}]`, errors)
  })
}

function checkConstraint(constraint: DeviceConstraint, names: ReadonlySet<string>, path: string, errors: Errors): void {
  checkRequestNames(constraint.requests, names, `${path}.requests`, errors)
  const { matchAttribute, distinctAttribute } = constraint
  if (matchAttribute !== undefined) checkFullPartName(matchAttribute, `${path}.matchAttribute`, errors)
  else if (distinctAttribute !== undefined) checkFullPartName(distinctAttribute, `${path}.distinctAttribute`, errors)
  else {
    const detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
    errors.push(required(path, detail))
  }
}

/** The selectors of a claim, each with where it stands. */
export function selectorsOf(spec: ResourceClaimSpec | undefined, path: string): [selectors: DeviceSelector[], path: string][] {
  return (spec?.devices?.requests ?? []).flatMap(({ exactly, firstAvailable }, index) => {
    const at = `${path}.devices.requests[${index}]`
    const alternatives = (firstAvailable ?? []).map((way, i) => [way, `${at}.firstAvailable[${i}]`] as const)
    const ways: (readonly [Way, string])[] = exactly ? [[exactly, `${at}.exactly`]] : alternatives
    return ways
      .filter(([way]) => way.selectors?.length)
      .map(([way, place]): [DeviceSelector[], string] => [way.selectors ?? [], `${place}.selectors`])
  })
}
