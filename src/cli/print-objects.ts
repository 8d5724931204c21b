/** Objects as JSON, YAML, names, JSONPath results or custom columns. */
import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import type { KubeObject } from '../api/object.ts'
import type { Client } from '../client/client.ts'
import { CommandError } from './io.ts'
import { evaluatePath, parseTemplate, relaxedPath, renderTemplate, showValue } from './jsonpath.ts'
import { formatTable } from './table.ts'
import { displayName, type Target } from './targets.ts'

export type ObjectFormat =
  | { form: 'json' }
  | { form: 'yaml' }
  | { form: 'name' }
  | { form: 'neat' }
  | { form: 'jsonpath'; template: string }
  | { form: 'jsonpath-as-json'; path: string }
  | { form: 'custom-columns'; columns: { header: string; path: string }[] }
export type OutputFormat = ObjectFormat | { form: 'table'; wide: boolean }

/** Throws CommandError for what is no format. */
export function parseOutput(text: string | undefined): OutputFormat {
  if (text === undefined || text === 'wide') return { form: 'table', wide: text === 'wide' }
  if (text === 'json' || text === 'yaml' || text === 'name' || text === 'neat') return { form: text }
  const [form, rest] = split(text)
  if (form === 'jsonpath' && rest) {
    parseTemplate(rest)
    return { form, template: rest }
  }
  if (form === 'jsonpath-file' && rest) return parseOutput(`jsonpath=${readText(form, rest).trim()}`)
  if (form === 'jsonpath-as-json' && rest) {
    evaluatePath(relaxedPath(rest), {})
    return { form, path: relaxedPath(rest) }
  }
  if (form === 'custom-columns' && rest) return { form, columns: rest.split(/,(?![^[]*\])/).map(column) }
  if (form === 'custom-columns-file' && rest) return { form: 'custom-columns', columns: columnsOfFile(readText(form, rest)) }
  throw new CommandError(
    `--output ${JSON.stringify(text)} is not supported: json, yaml, neat, name, wide, jsonpath=…, jsonpath-as-json=…, custom-columns=…, or jsonpath-file=FILE and custom-columns-file=FILE`,
  )
}

function readText(form: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CommandError(`--output ${form}=${file}: ${(cause as Error).message}`, 1, { cause })
  }
}

/** A line of headers, and one with the path of each. */
function columnsOfFile(text: string): { header: string; path: string }[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const [headers = [], paths = []] = lines.map((line) => line.trim().split(/\s+/))
  if (lines.length !== 2 || headers.length !== paths.length)
    throw new CommandError('custom-columns-file takes a line of headers and a line with as many paths')
  return headers.map((header, index) => ({ header, path: paths[index]! }))
}

function split(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function column(text: string): { header: string; path: string } {
  const at = text.indexOf(':')
  if (at <= 0 || at === text.length - 1) throw new CommandError(`custom-columns: ${JSON.stringify(text)} is no HEADER:PATH`)
  return { header: text.slice(0, at), path: text.slice(at + 1) }
}

interface PrintOptions {
  format: ObjectFormat
  /** One object by name, printed as itself and not as a list of one. */
  single: boolean
  showManagedFields: boolean
  /** For `neat`: who can be asked about custom kinds, and whether namespaces are part of what is shown. */
  client?: Client
  withNamespace?: boolean
  /** Of custom columns. */
  noHeaders?: boolean
}

export async function printObjects(
  objects: readonly KubeObject[],
  options: PrintOptions,
  targets: readonly Target[],
  stdout: Writable,
): Promise<void> {
  const { format, single, showManagedFields } = options
  if (format.form === 'neat') return printNeat(objects, options, targets, stdout)
  const shown = (showManagedFields ? objects : objects.map(withoutManagedFields)).map((object) => sorted(object) as KubeObject)
  const whole = single ? shown[0]! : { apiVersion: 'v1', items: shown, kind: 'List', metadata: { resourceVersion: '' } }
  switch (format.form) {
    case 'json':
      stdout.write(`${JSON.stringify(whole, undefined, 4)}\n`)
      return
    case 'yaml':
      stdout.write(await toYaml(whole))
      return
    case 'name':
      for (const object of objects) stdout.write(`${nameOf(object, targets)}\n`)
      return
    case 'jsonpath':
      stdout.write(renderTemplate(parseTemplate(format.template), whole))
      return
    case 'jsonpath-as-json':
      stdout.write(`${JSON.stringify(evaluatePath(format.path, whole), undefined, 4)}\n`)
      return
    case 'custom-columns': {
      const rows = shown.map((object) => format.columns.map(({ path }) => cell(object, path)))
      const headers = format.columns.map(({ header }) => header)
      stdout.write(formatTable(options.noHeaders ? undefined : headers, rows))
    }
  }
}

async function printNeat(
  objects: readonly KubeObject[],
  { client, withNamespace = false }: PrintOptions,
  targets: readonly Target[],
  stdout: Writable,
): Promise<void> {
  const { neatDocuments } = await import('./neat/print.ts')
  const resources = targets.map(({ resource }) => resource)
  stdout.write((await neatDocuments(objects, { client, withNamespace, resources })).join('---\n'))
}

/** YAML 1.1 as Kubernetes' own tools read it: a string that they would take for something else is quoted. */
export async function toYaml(value: unknown): Promise<string> {
  const { dump, YAML11_SCHEMA } = await import('js-yaml')
  return dump(value, { schema: YAML11_SCHEMA, noRefs: true, lineWidth: -1, seqNoIndent: true })
}

/** Keys in alphabetical order, as every Kubernetes tool prints them, whatever order the server keeps. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]))
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata ?? {}
  return { ...object, metadata }
}

function nameOf(object: KubeObject, targets: readonly Target[]): string {
  const resource = targets.find((one) => one.resource.kind === object.kind)?.resource
  const [, group = ''] = (object.apiVersion ?? '').split('/').reverse()
  return displayName(resource ?? { singular: (object.kind ?? '').toLowerCase(), group }, object.metadata.name ?? '')
}

function cell(object: KubeObject, path: string): string {
  const values = evaluatePath(relaxedPath(path), object)
  return values.length === 0 ? '<none>' : values.map(showValue).join(',')
}
