/**
 * The variables of a pod's containers as they were given: value, where it comes from, and whether that says something else by
 * now. What the image and the node add (PATH, the addresses of Services) is not among them.
 */
import { keyOfReference, readSources, VARIABLE_PREFIX } from '../api/downward/annotations.ts'
import { expand } from '../api/downward/expand.ts'
import { fieldValue } from '../api/downward/field-reference.ts'
import { resourceValue } from '../api/downward/resource-reference.ts'
import { fieldValueOf, type Related } from '../api/downward/value.ts'
import { writtenAt } from '../api/downward/written-at.ts'
import type { KubeObject } from '../api/object.ts'
import { StatusError } from '../api/status.ts'
import type { ConfigMap, Container, EnvFromSource, EnvVar, Pod, Secret } from '../api/types.ts'

export interface VariableRow {
  container: string
  name: string
  /** Undefined where it cannot be known from outside of the container. */
  value: string | undefined
  source: string
  /** What the source says now, when that is something else; absent when it is the same. */
  moved?: string
}

export interface EnvReader {
  readonly related: Related
  configMap(name: string): Promise<ConfigMap | undefined>
  secret(name: string): Promise<Secret | undefined>
  /** Of the pod's node; empty where that cannot be read. */
  allocatable(): Promise<Readonly<Record<string, string>>>
  readonly showSecrets: boolean
}

export async function variablesOf(pod: Pod, container: Container, reader: EnvReader): Promise<VariableRow[]> {
  const rows = new Map<string, VariableRow>()
  const scope: Scope = { pod, container, reader, rows, startedAt: startOf(pod, container.name) }
  for (const source of container.envFrom ?? []) for (const row of await fromSource(source, scope)) rows.set(row.name, row)
  for (const variable of container.env ?? []) rows.set(variable.name, await fromVariable(variable, scope))
  return [...rows.values()].filter(({ name }) => !name.startsWith(VARIABLE_PREFIX))
}

interface Scope {
  pod: Pod
  container: Container
  reader: EnvReader
  /** Of the variables before. */
  rows: ReadonlyMap<string, VariableRow>
  /** When the container that runs was started; undefined when none runs. */
  startedAt: number | undefined
}

function startOf({ status }: Pod, name: string): number | undefined {
  const states = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  const started = states.find((one) => one.name === name)?.state?.running?.startedAt
  return started ? Date.parse(started) : undefined
}

type Read = Pick<VariableRow, 'value' | 'source' | 'moved'>

async function fromVariable(variable: EnvVar, scope: Scope): Promise<VariableRow> {
  return { container: scope.container.name, name: variable.name, ...(await readVariable(variable, scope)) }
}

async function readVariable({ value = '', valueFrom }: EnvVar, scope: Scope): Promise<Read> {
  if (!valueFrom) return fromText(value, scope)
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom
  if (fieldRef) return fromField(fieldRef.fieldPath, scope)
  if (configMapKeyRef) return fromConfigMap(configMapKeyRef.name ?? '', configMapKeyRef.key, scope)
  if (secretKeyRef) return fromSecret(secretKeyRef.name ?? '', secretKeyRef.key, scope)
  if (!resourceFieldRef) return { value: undefined, source: Object.keys(valueFrom)[0] ?? 'unknown' }
  const { containerName = scope.container.name, resource } = resourceFieldRef
  const named = [...(scope.pod.spec?.initContainers ?? []), ...(scope.pod.spec?.containers ?? [])].find(
    (one) => one.name === containerName,
  )
  const source = `resource ${resource}${containerName === scope.container.name ? '' : ` of ${containerName}`}`
  return { value: named && resourceValue(named, resourceFieldRef, await scope.reader.allocatable()), source }
}

/** A text is its own source, and so is what it names. */
function fromText(text: string, { rows }: Scope): Read {
  const used: VariableRow[] = []
  const value = expand(text, (name) => {
    const row = rows.get(name)
    if (row && !used.includes(row)) used.push(row)
    return row?.value
  })
  const named = used.map(({ name, source }) => (name.startsWith(VARIABLE_PREFIX) ? source : `$(${name})`))
  const moved = used.flatMap((row) => (row.moved === undefined ? [] : [row.moved]))
  const source = named.length > 0 ? `literal with ${named.join(', ')}` : 'literal'
  return { value, source, ...(moved.length > 0 && { moved: moved.join('; ') }) }
}

async function fromField(path: string, scope: Scope): Promise<Read> {
  const { pod, reader } = scope
  const key = keyOfReference(path)
  const found = key === undefined ? undefined : readSources(pod.metadata.annotations).get(key)
  const podIps = pod.status?.podIPs?.map(({ ip }) => ip) ?? []
  const hostIps = pod.status?.hostIPs?.map(({ ip }) => ip) ?? []
  const value = fieldValue(pod, path, { podIps, hostIps })
  if (!found) return { value, source: `field ${path}`, ...movedLabel(path, scope) }
  const read = { value, source: `field ${found.text}` }
  if (!pod.spec?.nodeName) return value === '' ? { ...read, value: undefined } : read
  const now = await answered(() => fieldValueOf(found, pod, reader.related))
  if ('refused' in now) return { ...read, moved: `not known: ${now.refused}` }
  if (now.value === undefined) return { ...read, moved: `has no value any more` }
  return now.value === value ? read : { ...read, moved: JSON.stringify(now.value) }
}

/** A label or annotation is shown as it is now; a running process has it as it was. */
function movedLabel(path: string, { pod, startedAt }: Scope): Pick<VariableRow, 'moved'> {
  const match = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path)
  return match ? movedSince(pod, ['metadata', match[1]!, match[2]!], startedAt) : {}
}

function movedSince(object: KubeObject, path: readonly string[], startedAt: number | undefined): Pick<VariableRow, 'moved'> {
  const at = writtenAt(object, path)
  if (at === undefined || startedAt === undefined || at <= startedAt) return {}
  return { moved: `written at ${new Date(at).toISOString().slice(0, 19)}Z, after the container started` }
}

async function fromConfigMap(name: string, key: string, { reader, startedAt }: Scope): Promise<Read> {
  const source = `configmap ${name}, key ${key}`
  const object = await answered(() => reader.configMap(name))
  if (isRefused(object)) return { value: undefined, source, moved: `not known: ${object.refused}` }
  return { value: object?.data?.[key], source, ...(object && movedSince(object, ['data', key], startedAt)) }
}

async function fromSecret(name: string, key: string, { reader, startedAt }: Scope): Promise<Read> {
  const source = `secret ${name}, key ${key}`
  const object = await answered(() => reader.secret(name))
  if (isRefused(object)) return { value: undefined, source, moved: `not known: ${object.refused}` }
  return { value: plainOf(object?.data?.[key], reader), source, ...(object && movedSince(object, ['data', key], startedAt)) }
}

function plainOf(base64: string | undefined, { showSecrets }: EnvReader): string | undefined {
  if (base64 === undefined) return undefined
  return showSecrets ? Buffer.from(base64, 'base64').toString() : '(hidden, see --show-secrets)'
}

async function fromSource({ prefix = '', configMapRef, secretRef }: EnvFromSource, scope: Scope): Promise<VariableRow[]> {
  const { reader, container } = scope
  const name = configMapRef?.name ?? secretRef?.name ?? ''
  const object = await answered(() => (configMapRef ? reader.configMap(name) : reader.secret(name)))
  const kind = configMapRef ? 'configmap' : 'secret'
  if (isRefused(object)) {
    const all = { container: container.name, name: `${prefix}*`, value: undefined, source: `every key of ${kind} ${name}` }
    return [{ ...all, moved: `not known: ${object.refused}` }]
  }
  const rows: VariableRow[] = []
  for (const key of Object.keys(object?.data ?? {})) {
    const read = configMapRef ? await fromConfigMap(name, key, scope) : await fromSecret(name, key, scope)
    rows.push({ container: container.name, name: prefix + key, ...read })
  }
  return rows
}

interface Refused {
  refused: string
}

function isRefused(answer: object | undefined): answer is Refused {
  return answer !== undefined && 'refused' in answer
}

/** What the user may not read is said, and does not end the command. */
async function answered<T>(read: () => Promise<T>): Promise<T | Refused> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof StatusError && error.code === 403) return { refused: error.message }
    throw error
  }
}
