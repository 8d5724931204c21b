/** The server's Tables as text. Which columns there are is the server's word; this adds namespace, kind and labels. */
import type { Writable } from 'node:stream'
import type { KubeObject } from '../api/object.ts'
import type { DiscoveredResource } from '../client/discovery.ts'
import { age } from './age.ts'
import { formatTable } from './table.ts'
import { displayName } from './targets.ts'

export const TABLE_ACCEPT = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

export interface Table {
  kind: 'Table'
  columnDefinitions: { name: string; type: string; format?: string; priority?: number }[] | undefined
  rows: { cells: unknown[]; object: KubeObject }[]
  metadata?: { resourceVersion?: string }
}

export interface TablePart {
  resource: DiscoveredResource
  table: Table
}

export interface TableLook {
  wide: boolean
  withNamespace: boolean
  withLabels: boolean
  /** A column for each of these labels. */
  labelColumns: readonly string[]
  withKind: boolean
  noHeaders: boolean
  nowMs: number
}

/** Tables of several kinds stand apart by an empty line. */
export function printTables(parts: readonly TablePart[], look: TableLook, stdout: Writable): void {
  for (const [index, { resource, table }] of parts.entries()) {
    if (index > 0) stdout.write('\n')
    const { header, rows } = textOf(resource, table, look)
    stdout.write(formatTable(look.noHeaders ? undefined : header, rows))
  }
}

export function textOf(resource: DiscoveredResource, table: Table, look: TableLook): { header: string[]; rows: string[][] } {
  const columns = columnsOf(table)
  const shown = [...columns.keys()].filter((column) => look.wide || (columns[column]!.priority ?? 0) === 0)
  const withNamespace = look.withNamespace && resource.namespaced
  const header = shown.map((column) => columns[column]!.name.toUpperCase())
  const rows = table.rows.map(({ cells, object }) => {
    const texts = shown.map((column) => text(cells[column]))
    const nameAt = shown.findIndex((column) => columns[column]!.name.toLowerCase() === 'name')
    if (look.withKind && nameAt >= 0) texts[nameAt] = displayName(resource, texts[nameAt]!)
    if (withNamespace) texts.unshift(object.metadata.namespace ?? '')
    for (const name of look.labelColumns) texts.push(object.metadata.labels?.[name] ?? '')
    if (look.withLabels) texts.push(labels(object))
    return texts
  })
  if (withNamespace) header.unshift('NAMESPACE')
  for (const name of look.labelColumns) header.push(name.slice(name.lastIndexOf('/') + 1).toUpperCase())
  if (look.withLabels) header.push('LABELS')
  return { header, rows: table.kind === 'Table' ? rows : plainRows(table as unknown as KubeObject, look, withNamespace) }
}

/** A server that makes no tables answers with the objects themselves: name and age are shown. */
function columnsOf(table: Table): NonNullable<Table['columnDefinitions']> {
  if (table.kind === 'Table') return table.columnDefinitions ?? []
  const objects = table as unknown as KubeObject
  table.rows = ((objects.items as KubeObject[] | undefined) ?? [objects]).map((object) => ({ cells: [], object }))
  return ['Name', 'Age'].map((name) => ({ name, type: 'string' }))
}

function plainRows(objects: KubeObject, look: TableLook, withNamespace: boolean): string[][] {
  return ((objects.items as KubeObject[] | undefined) ?? [objects]).map(({ metadata }) => [
    ...(withNamespace ? [metadata.namespace ?? ''] : []),
    metadata.name ?? '',
    age(metadata.creationTimestamp ?? '', look.nowMs),
  ])
}

function text(cell: unknown): string {
  if (cell === null || cell === undefined) return '<none>'
  return String(cell).split('\n')[0]!
}

function labels({ metadata }: KubeObject): string {
  const pairs = Object.entries(metadata.labels ?? {}).map(([name, value]) => `${name}=${value}`)
  return pairs.length > 0 ? pairs.sort().join(',') : '<none>'
}
