/** Rules for environment variables and the references they and downward files are filled from. */
import type { Errors } from '../field-errors.ts'
import { invalid, notSupported, required } from '../field-errors.ts'
import { configMapKey, dnsSubdomain, envVarName, qualifiedName } from '../names.ts'
import { canonicalQuantity, QuantityError } from '../quantity.ts'
import type { EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector } from '../types.ts'
import { obey, requireName } from './rules.ts'

const ENV_FIELDS = [
  ...['metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.serviceAccountName'],
  ...['status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs'],
]
const FILE_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
const KNOWN_FIELDS = new Set([
  ...ENV_FIELDS,
  ...FILE_FIELDS,
  ...['spec.restartPolicy', 'spec.schedulerName', 'status.phase', 'spec.host'],
])
const RESOURCES = [
  ...['limits.cpu', 'limits.ephemeral-storage', 'limits.memory'],
  ...['requests.cpu', 'requests.ephemeral-storage', 'requests.memory'],
]
const HUGE_PAGES = /^(limits|requests)\.hugepages-/
const MEMORY_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

export function checkEnv(env: EnvVar[] | undefined, path: string, errors: Errors): void {
  if (!env) return
  for (let index = 0; index < env.length; index++) {
    const variable = env[index] as EnvVar
    if (!variable.name) errors.push(required(`${path}[${index}].name`))
    else if (envVarName(variable.name).length > 0) obey(variable.name, envVarName, `${path}[${index}].name`, errors)
    if (variable.valueFrom) checkValueFrom(variable.valueFrom, variable.value, `${path}[${index}].valueFrom`, errors)
  }
}

function checkValueFrom(source: EnvVarSource, value: string | undefined, path: string, errors: Errors): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    (given) => given !== undefined,
  ).length
  if (fieldRef) checkFieldReference(fieldRef, ENV_FIELDS, `${path}.fieldRef`, errors)
  if (resourceFieldRef) checkResourceReference(resourceFieldRef, false, `${path}.resourceFieldRef`, errors)
  if (configMapKeyRef) checkKeyReference(configMapKeyRef, `${path}.configMapKeyRef`, errors)
  if (secretKeyRef) checkKeyReference(secretKeyRef, `${path}.secretKeyRef`, errors)
  if (fileKeyRef) {
    if (!fileKeyRef.key) errors.push(required(`${path}.fileKeyRef.key`))
    if (!fileKeyRef.path) errors.push(required(`${path}.fileKeyRef.path`))
    if (!fileKeyRef.volumeName) errors.push(required(`${path}.fileKeyRef.volumeName`))
  }
  if (count === 0) {
    const detail = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    errors.push(invalid(path, '', detail))
  }
  if (value) {
    if (count > 0) errors.push(invalid(path, '', 'may not be specified when `value` is not empty'))
  } else if (count > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'))
}

function checkKeyReference(reference: { name?: string | undefined; key: string }, path: string, errors: Errors): void {
  obey(reference.name ?? '', dnsSubdomain, `${path}.name`, errors)
  requireName(reference.key, configMapKey, `${path}.key`, errors)
}

/** A field of the pod that a downwardAPI volume may show: labels and annotations as a whole among them. */
export function checkFileFieldReference(reference: ObjectFieldSelector, path: string, errors: Errors): void {
  checkFieldReference(reference, FILE_FIELDS, path, errors)
}

function checkFieldReference(reference: ObjectFieldSelector, allowed: readonly string[], path: string, errors: Errors): void {
  const { apiVersion, fieldPath } = reference
  if (!apiVersion) return void errors.push(required(`${path}.apiVersion`))
  if (!fieldPath) return void errors.push(required(`${path}.fieldPath`))
  const refuse = (why: string) => errors.push(invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`))
  if (apiVersion !== 'v1') return void refuse(`unsupported pod version: ${apiVersion}`)
  const subscripted = /^([^'[]+)\['(.*)'\]$/s.exec(fieldPath)
  if (!subscripted) {
    if (!KNOWN_FIELDS.has(fieldPath)) refuse(`field label not supported: ${fieldPath}`)
    else if (!allowed.includes(fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath)) {
      errors.push(notSupported(`${path}.fieldPath`, fieldPath, allowed))
    }
    return
  }
  const [, map = '', key = ''] = subscripted
  if (map !== 'metadata.annotations' && map !== 'metadata.labels')
    return void refuse(`field label does not support subscript: ${fieldPath}`)
  const rule = map === 'metadata.annotations' ? (text: string) => qualifiedName(text.toLowerCase()) : qualifiedName
  obey(key, rule, path, errors)
}

/** A request or limit of a container, which files have to name. */
export function checkResourceReference(reference: ResourceFieldSelector, inFile: boolean, path: string, errors: Errors): void {
  const { resource, containerName, divisor } = reference
  if (inFile && !containerName) errors.push(required(`${path}.containerName`))
  else if (!resource) errors.push(required(`${path}.resource`))
  else if (!RESOURCES.includes(resource) && !HUGE_PAGES.test(resource)) {
    errors.push(notSupported(`${path}.resource`, resource, RESOURCES))
  }
  checkDivisor(resource ?? '', divisor, `${path}.divisor`, errors)
}

function checkDivisor(resource: string, divisor: string | undefined, path: string, errors: Errors): void {
  if (divisor === undefined || divisor === '0' || canonical(divisor) === '0') return
  if (!RESOURCES.includes(resource) && !HUGE_PAGES.test(resource)) return
  const isCpu = resource.endsWith('.cpu')
  const allowed = isCpu ? ['1m', '1'] : MEMORY_DIVISORS
  if (allowed.includes(canonical(divisor))) return
  const name = resource.slice(resource.indexOf('.') + 1)
  const kind = isCpu
    ? 'cpu'
    : name.startsWith('hugepages-')
      ? 'hugepages'
      : name === 'ephemeral-storage'
        ? 'local ephemeral storage'
        : 'memory'
  const values = isCpu ? '1m and 1' : MEMORY_DIVISORS.join(', ')
  const detail = `only divisor's values ${values} are supported with the ${kind} resource`
  errors.push(invalid(path, resource, detail))
}

function canonical(text: string): string {
  try {
    return canonicalQuantity(text)
  } catch (error) {
    if (error instanceof QuantityError) return text
    throw error
  }
}

export function checkEnvFrom(sources: EnvFromSource[] | undefined, path: string, errors: Errors): void {
  sources?.forEach((source, index) => {
    const at = `${path}[${index}]`
    if (source.prefix) obey(source.prefix, envVarName, `${at}.prefix`, errors)
    if (source.configMapRef) requireName(source.configMapRef.name, dnsSubdomain, `${at}.configMapRef.name`, errors)
    if (source.secretRef) requireName(source.secretRef.name, dnsSubdomain, `${at}.secretRef.name`, errors)
    if (!source.configMapRef && !source.secretRef) {
      errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    } else if (source.configMapRef && source.secretRef) {
      errors.push(invalid(path, '', 'may not have more than one field specified at a time'))
    }
  })
}
