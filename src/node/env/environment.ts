/**
 * A container's environment: Services, `envFrom`, then `env`, each later one winning, with `$(VAR)` replaced by what came
 * before. Reads objects through the given lookup and does no I/O itself.
 */

import { expand } from '../../api/downward/expand.ts'
import { type FieldContext, fieldValue } from '../../api/downward/field-reference.ts'
import { resourceValue } from '../../api/downward/resource-reference.ts'
import type { ConfigMap, Container, EnvVar, EnvVarSource, Pod, Secret, Service } from '../../api/types.ts'
import { serviceVariables, visibleServices } from './service-variables.ts'

export interface EnvironmentContext extends FieldContext {
  /** Both answer from what is known now; `undefined` means there is no such object. */
  configMap(namespace: string, name: string): ConfigMap | undefined
  secret(namespace: string, name: string): Secret | undefined
  services: readonly Service[]
  allocatable: Readonly<Record<string, string>>
}

/** Why a container cannot be configured; shown as CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  override name = 'ContainerConfigError'
}

const VALID_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/

export interface Environment {
  variables: { name: string; value: string }[]
  /** Keys of envFrom sources that are no names for variables, by source, for an event. */
  skipped: { source: string; keys: string[] }[]
}

/** Throws ContainerConfigError for what is missing and not optional. */
export function environmentOf(pod: Pod, container: Container, context: EnvironmentContext): Environment {
  const values = new Map<string, string>()
  const skipped: Environment['skipped'] = []
  const links = pod.spec?.enableServiceLinks ?? true
  const services = serviceVariables(visibleServices(context.services, pod.metadata.namespace ?? '', links))
  for (const source of container.envFrom ?? []) {
    const data = fromSource(pod, source, context)
    const bad = Object.keys(data.values).filter((key) => !VALID_NAME.test((source.prefix ?? '') + key))
    if (bad.length > 0) skipped.push({ source: data.label, keys: bad.sort() })
    for (const [key, value] of Object.entries(data.values)) if (!bad.includes(key)) values.set((source.prefix ?? '') + key, value)
  }
  const linked = new Map(services.map(({ name, value }) => [name, value]))
  const known = (name: string) => values.get(name) ?? linked.get(name)
  for (const variable of container.env ?? []) {
    const value = variableValue(pod, container, variable, context, known)
    if (value !== undefined) values.set(variable.name, value)
  }
  for (const [name, value] of linked) if (!values.has(name)) values.set(name, value)
  return { variables: [...values].map(([name, value]) => ({ name, value })), skipped }
}

function variableValue(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  context: EnvironmentContext,
  known: (name: string) => string | undefined,
): string | undefined {
  if (variable.value) return expand(variable.value, known)
  return variable.valueFrom ? fromReference(pod, container, variable.valueFrom, context) : ''
}

function fromReference(pod: Pod, container: Container, from: EnvVarSource, context: EnvironmentContext): string | undefined {
  if (from.fieldRef) return fieldValue(pod, from.fieldRef.fieldPath, context)
  if (from.resourceFieldRef) {
    const { containerName } = from.resourceFieldRef
    const named = containerName ? findContainer(pod, containerName) : container
    if (!named) throw new ContainerConfigError(`container ${containerName} not found`)
    return resourceValue(named, from.resourceFieldRef, context.allocatable)
  }
  if (from.configMapKeyRef) return configMapKey(pod, from.configMapKeyRef, context)
  if (from.secretKeyRef) return secretKey(pod, from.secretKeyRef, context)
  throw new ContainerConfigError(`valueFrom.${Object.keys(from)[0]} is not supported by this node`)
}

function findContainer(pod: Pod, name: string): Container | undefined {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find((c) => c.name === name)
}

interface KeyReference {
  name?: string | undefined
  key: string
  optional?: boolean | undefined
}

function configMapKey(pod: Pod, { name = '', key, optional }: KeyReference, context: EnvironmentContext): string | undefined {
  const namespace = pod.metadata.namespace ?? ''
  const object = context.configMap(namespace, name)
  const value = object?.data?.[key]
  if (value !== undefined || optional) return value
  if (!object) throw new ContainerConfigError(`configmap ${JSON.stringify(name)} not found`)
  throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`)
}

function secretKey(pod: Pod, { name = '', key, optional }: KeyReference, context: EnvironmentContext): string | undefined {
  const namespace = pod.metadata.namespace ?? ''
  const object = context.secret(namespace, name)
  const value = object?.data?.[key]
  if (value !== undefined) return decode(value)
  if (optional) return undefined
  if (!object) throw new ContainerConfigError(`secret ${JSON.stringify(name)} not found`)
  throw new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`)
}

function fromSource(
  pod: Pod,
  source: NonNullable<Container['envFrom']>[number],
  context: EnvironmentContext,
): { label: string; values: Record<string, string> } {
  const namespace = pod.metadata.namespace ?? ''
  if (source.configMapRef) {
    const { name = '', optional } = source.configMapRef
    const object = context.configMap(namespace, name)
    if (!object && !optional) throw new ContainerConfigError(`configmap ${JSON.stringify(name)} not found`)
    return { label: `ConfigMap ${namespace}/${name}`, values: object?.data ?? {} }
  }
  const { name = '', optional } = source.secretRef ?? {}
  const object = context.secret(namespace, name)
  if (!object && !optional) throw new ContainerConfigError(`secret ${JSON.stringify(name)} not found`)
  const values = Object.entries(object?.data ?? {}).map(([key, value]) => [key, decode(value)])
  return { label: `Secret ${namespace}/${name}`, values: Object.fromEntries(values) as Record<string, string> }
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}
