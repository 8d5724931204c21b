/** Any object as lines for a reader: metadata first, then its other fields in their order, nested by indentation. Pure. */
import type { KubeObject } from '../api/object.ts'
import { formatTable } from './table.ts'

const INDENT = '  '
/** Where values of the top lines begin. */
const VALUE_COLUMN = 14
/** Maps whose keys are the user's own words. */
const PLAIN_MAPS = new Set([
  'labels',
  'annotations',
  'matchLabels',
  'nodeSelector',
  'selector',
  'data',
  'limits',
  'requests',
  'capacity',
  'allocatable',
])
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
    lines.push(...nested(title(name), shown, '', PLAIN_MAPS.has(name)))
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

/** `heading` is printed as it is; the keys below a plain map too. Empty fields say nothing and are left out. */
function nested(heading: string, value: unknown, indent: string, plain = false): string[] {
  if (value === null || value === undefined) return []
  if (typeof value !== 'object') return scalar(heading, String(value), indent)
  const entries = Object.entries(value)
  if (entries.length === 0) return []
  const head = `${indent}${heading}:`
  if (!Array.isArray(value)) return [head, ...members(entries, indent + INDENT, plain)]
  if (heading === 'Conditions') return [head, ...conditions(value as Record<string, unknown>[], indent + INDENT)]
  if (value.every((item) => typeof item !== 'object')) return [`${head}${INDENT}${value.join(', ')}`]
  return [head, ...value.flatMap((item) => listItem(item as Record<string, unknown>, indent + INDENT))]
}

function members(entries: readonly [string, unknown][], indent: string, plain = false): string[] {
  return entries.flatMap(([key, member]) => nested(plain ? key : title(key), member, indent, PLAIN_MAPS.has(key)))
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

/** Items with a name are headed by it; others by a dash before their first line. */
function listItem(item: Record<string, unknown>, indent: string): string[] {
  const { name, ...rest } = item
  const lines = members(Object.entries(rest), indent + INDENT)
  if (typeof name === 'string') return [`${indent}${name}:`, ...lines]
  const [first = '', ...more] = lines
  return [`${indent}- ${first.trimStart()}`, ...more]
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
  const spaced = name
    .replace(/IPs$/, ' IPs')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-rt-z])/g, '$1 $2')
  return spaced[0]!.toUpperCase() + spaced.slice(1)
}
