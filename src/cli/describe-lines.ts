/** Any object as lines for a reader: metadata first, then its other fields in their order, nested by indentation. Pure. */
import type { KubeObject } from '../api/object.ts'
import { formatTable } from './table.ts'

const INDENT = '  '
/** Where values of the top lines begin. */
const VALUE_COLUMN = 14
/** Metadata that says nothing to a reader. */
const HIDDEN_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'

export function describeLines(object: KubeObject): string[] {
  const { apiVersion: _, kind, metadata, ...rest } = object
  const lines = [field('Name', metadata.name ?? '')]
  if (metadata.namespace) lines.push(field('Namespace', metadata.namespace))
  lines.push(field('Kind', kind ?? ''))
  lines.push(...pairs('Labels', metadata.labels), ...pairs('Annotations', metadata.annotations))
  if (metadata.creationTimestamp) lines.push(field('Created', metadata.creationTimestamp))
  if (metadata.deletionTimestamp) lines.push(field('Deleting', `since ${metadata.deletionTimestamp}`))
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (owner) lines.push(field('Controlled By', `${owner.kind}/${owner.name}`))
  const secret = kind === 'Secret'
  for (const [name, value] of Object.entries(rest)) {
    // A reader over the shoulder must not see a secret's values.
    const shown = secret && (name === 'data' || name === 'stringData') ? sizes(value as Record<string, string>) : value
    lines.push(...nested(title(name), shown, ''))
  }
  return lines
}

function field(name: string, value: string): string {
  return `${`${name}:`.padEnd(VALUE_COLUMN + 1)}${value}`
}

function pairs(name: string, map: Record<string, string> | undefined): string[] {
  const entries = Object.entries(map ?? {}).filter(([key]) => key !== HIDDEN_ANNOTATION)
  if (entries.length === 0) return [field(name, '<none>')]
  return entries.map(
    ([key, value], index) => `${(index === 0 ? `${name}:` : '').padEnd(VALUE_COLUMN + 1)}${key}=${value.split('\n')[0]}`,
  )
}

function nested(name: string, value: unknown, indent: string): string[] {
  if (value === null || value === undefined) return []
  if (typeof value !== 'object') return scalar(name, String(value), indent)
  const entries = Object.entries(value)
  if (entries.length === 0) return [`${indent}${name}:${INDENT}<none>`]
  if (!Array.isArray(value))
    return [`${indent}${name}:`, ...entries.flatMap(([key, member]) => nested(title(key), member, indent + INDENT))]
  if (name === 'Conditions') return [`${indent}${name}:`, ...conditions(value as Record<string, unknown>[], indent + INDENT)]
  if (value.every((item) => typeof item !== 'object')) return [`${indent}${name}:${INDENT}${value.join(', ')}`]
  return [`${indent}${name}:`, ...value.flatMap((item) => listItem(item as Record<string, unknown>, indent + INDENT))]
}

function scalar(name: string, text: string, indent: string): string[] {
  if (!text.trimEnd().includes('\n')) return [`${indent}${name}:${INDENT}${text.trimEnd()}`]
  return [
    `${indent}${name}:`,
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => `${indent}${INDENT}${line}`),
  ]
}

/** Items with a name are headed by it; others by a dash. */
function listItem(item: Record<string, unknown>, indent: string): string[] {
  const { name, ...rest } = item
  const head = typeof name === 'string' ? `${indent}${name}:` : `${indent}-`
  return [head, ...Object.entries(rest).flatMap(([key, member]) => nested(title(key), member, indent + INDENT))]
}

function conditions(list: readonly Record<string, unknown>[], indent: string): string[] {
  const columns = ['type', 'status', 'reason', 'message'].filter((column) => list.some((one) => one[column]))
  const rows = list.map((one) => columns.map((column) => String(one[column] ?? '')))
  return formatTable(columns.map(title), rows)
    .trimEnd()
    .split('\n')
    .map((line) => indent + line)
}

function sizes(data: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, `${Buffer.from(value, 'base64').length} bytes`]))
}

/** `restartPolicy` as `Restart Policy`; what is no field name stays as it is. */
function title(name: string): string {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) return name
  const spaced = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
  return spaced[0]!.toUpperCase() + spaced.slice(1)
}
