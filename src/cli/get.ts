/** `skiff get`: the server's tables, or the objects in another form; then, when asked, their changes. */
import type { KubeObject } from '../api/object.ts'
import { isNotFound, type StatusError } from '../api/status.ts'
import { collectionPath, objectPath } from '../client/paths.ts'
import { isDraftWord } from './drafts/word.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { inParallel, isUnavailable } from './names/metadata.ts'
import { NEEDS } from './names/needs.ts'
import type { AmbiguousName } from './names/resolve.ts'
import { type ObjectFormat, type OutputFormat, parseOutput, printObjects } from './print-objects.ts'
import { printTables, TABLE_ACCEPT, type Table, type TableLook, type TablePart } from './print-tables.ts'
import { isPods, WHOLE_OBJECTS, withWhatIsSaid } from './said-column.ts'
import { type GlobalOptions, type Session, withSession } from './session.ts'
import { sortBy } from './sort-objects.ts'
import { parseTargets, type Target, targetsOf } from './targets.ts'

export interface GetOptions extends GlobalOptions {
  words: readonly string[]
  output?: string | undefined
  watch?: boolean
  selector?: string
  fieldSelector?: string
  allNamespaces?: boolean
  showLabels?: boolean
  labelColumns?: readonly string[]
  sortBy?: string
  /** Names that do not exist are no failure. */
  ignoreNotFound?: boolean
  noHeaders?: boolean
  showManagedFields?: boolean
  /** Everything that a bare name means; without it, one that means several things is refused. */
  allMatches?: boolean
}

export async function runGet(options: GetOptions, io: Io): Promise<number> {
  const [first, ...names] = options.words
  if (isDraftWord(first)) return getDrafts(options, first!.includes('/') ? options.words : names, io)
  const format = parseOutput(options.output)
  return withSession(options, io, async (session) => {
    const targets = await findTargets(options, format, session, io)
    if (targets.some(({ names }) => names.length > 0) && (options.selector || options.fieldSelector))
      throw new CommandError('names and selectors cannot be given together')
    if (options.watch && options.sortBy !== undefined)
      throw new CommandError('--sort-by and --watch cannot be given together: changes are shown as they come')
    if (options.watch) return watch(options, format, targets, session, io)
    return format.form === 'table'
      ? getTables(options, format.wide, targets, session, io)
      : getObjects(options, format, targets, session, io)
  })
}

/** Drafts are pod templates, shown as what they are. */
async function getDrafts(options: GetOptions, names: readonly string[], io: Io): Promise<number> {
  if (options.watch || options.selector || options.fieldSelector)
    throw new CommandError('drafts are listed without --watch and selectors; as podtemplates they can be had with them')
  const { listDrafts } = await import('./drafts/list.ts')
  return listDrafts({ ...options, names }, io)
}

/** An ambiguous name is shown as the table of all that it means, and stays a failure: scripts must say what they want. */
async function findTargets(options: GetOptions, format: OutputFormat, session: Session, io: Io): Promise<Target[]> {
  const { words, allMatches, allNamespaces } = options
  try {
    return await parseTargets(words, session, { needs: NEEDS.get, allMatches, allNamespaces })
  } catch (error) {
    if (format.form === 'table' && !options.watch && error instanceof CommandError && error.name === 'AmbiguousName')
      await getTables(options, format.wide, targetsOf((error as AmbiguousName).objects), session, io)
    throw error
  }
}

async function getTables(
  options: GetOptions,
  wide: boolean,
  targets: readonly Target[],
  session: Session,
  io: Io,
): Promise<number> {
  const { parts, failures } = await fetchParts(options, targets, session, { accept: TABLE_ACCEPT, wide })
  const tables = parts.map(({ target, object }) => ({ resource: target.resource, table: object as unknown as Table }))
  // Several answers for one resource (names) are one table.
  const merged: TablePart[] = []
  for (const part of tables) {
    const last = merged.at(-1)
    if (last?.resource === part.resource) last.table = { ...last.table, rows: [...last.table.rows, ...part.table.rows] }
    else merged.push(part)
  }
  const filled = merged.filter(({ table }) => table.rows.length > 0).map((part) => sortedRows(part, options.sortBy))
  printTables(wide ? filled.map((part) => withWhatIsSaid(part)) : filled, look(options, wide, targets), io.stdout)
  for (const failure of failures) writeLine(io.stderr, `error: ${failure.message} (${failure.reason})`)
  if (filled.length === 0 && failures.length === 0 && !options.ignoreNotFound) {
    const namespaced = targets.some(({ resource }) => resource.namespaced) && !options.allNamespaces
    writeLine(io.stderr, namespaced ? `No resources found in ${session.namespace} namespace.` : 'No resources found')
  }
  return failures.length > 0 ? 1 : 0
}

function sortedRows(part: TablePart, path: string | undefined): TablePart {
  if (path === undefined || part.table.kind !== 'Table') return part
  return { ...part, table: { ...part.table, rows: sortBy(part.table.rows, path, ({ object }) => object) } }
}

function look(options: GetOptions, wide: boolean, targets: readonly Target[]): TableLook {
  const { allNamespaces = false, showLabels = false, labelColumns = [], noHeaders = false } = options
  return {
    wide,
    withNamespace: allNamespaces,
    withLabels: showLabels,
    labelColumns: labelColumns.flatMap((names) => names.split(',')),
    noHeaders,
    withKind: new Set(targets.map(({ resource }) => resource)).size > 1,
    nowMs: Date.now(),
  }
}

async function getObjects(
  options: GetOptions,
  format: ObjectFormat,
  targets: readonly Target[],
  session: Session,
  io: Io,
): Promise<number> {
  const { parts, failures } = await fetchParts(options, targets, session)
  const single = targets.length === 1 && targets[0]!.names.length === 1
  const found = parts.flatMap(({ object, target }) =>
    target.names.length > 0 ? [object] : (object.items as KubeObject[]).map((item) => withKind(item, target)),
  )
  const objects = options.sortBy === undefined ? found : sortBy(found, options.sortBy, (object) => object)
  // A list of nothing is still a list in json and yaml; one object that is missing is only a failure.
  if (objects.length > 0 || !single) {
    await printObjects(objects, { ...printing(options, format, session), single }, targets, io.stdout)
  }
  for (const failure of failures) writeLine(io.stderr, `error: ${failure.message} (${failure.reason})`)
  return failures.length > 0 ? 1 : 0
}

function printing(options: GetOptions, format: ObjectFormat, { client }: Session) {
  const { showManagedFields = false, allNamespaces = false, noHeaders = false } = options
  return { format, showManagedFields, client, withNamespace: allNamespaces, noHeaders }
}

/** One after the other: documents are told apart, and there is one line of headings. */
function printEach(options: GetOptions, format: ObjectFormat, target: Target, session: Session, io: Io) {
  let isFirst = true
  return async (object: KubeObject) => {
    const isDocument = format.form === 'yaml' || format.form === 'neat'
    if (isDocument && !isFirst) io.stdout.write('---\n')
    const how = printing(options, format, session)
    await printObjects(
      [withKind(object, target)],
      { ...how, single: true, noHeaders: how.noHeaders || !isFirst },
      [target],
      io.stdout,
    )
    isFirst = false
  }
}

/** Items of a list need not say what they are; printed alone they must. */
function withKind(item: KubeObject, { resource }: Target): KubeObject {
  const { group, version, kind } = resource
  return { apiVersion: group ? `${group}/${version}` : version, kind, ...item }
}

interface Fetched {
  parts: { target: Target; object: KubeObject }[]
  failures: { reason: string; message: string }[]
}

/** A name that does not exist is reported beside what does, and so is a kind of an alias that may not be read; others end the command. */
async function fetchParts(
  options: GetOptions,
  targets: readonly Target[],
  session: Session,
  table?: { accept: string; wide: boolean },
): Promise<Fetched> {
  const query = defined({ labelSelector: options.selector, fieldSelector: options.fieldSelector })
  const headers: Record<string, string> = table === undefined ? {} : { accept: table.accept }
  const wanted = targets.flatMap((target) => pathsOf(options, target, session).map((path) => ({ target, path })))
  const answers = await inParallel(wanted, async ({ target, path }) => {
    // What an alias stands for was not asked for by name: what the server has to say about the kind would be noise.
    const transport = target.bySet === undefined ? session.client.transport : session.quiet
    try {
      const isWhole = table && ((table.wide && isPods(target.resource)) || options.sortBy !== undefined)
      const whole = isWhole ? WHOLE_OBJECTS : {}
      return { object: (await transport.request({ method: 'GET', path, query: { ...query, ...whole }, headers })).object }
    } catch (error) {
      const isMissing = isNotFound(error) && target.names.length > 0
      if (isMissing || (isUnavailable(error) && target.bySet !== undefined)) return { error: error as StatusError }
      throw error
    }
  })
  const fetched: Fetched = { parts: [], failures: [] }
  for (const [index, { object, error }] of answers.entries()) {
    const { target } = wanted[index]!
    if (object) fetched.parts.push({ target, object })
    else if (options.ignoreNotFound && isNotFound(error)) continue
    else if (target.bySet === undefined || error?.code === 403) fetched.failures.push(error!)
  }
  const set = targets.find(({ bySet, names }) => bySet !== undefined && names.length > 0)
  if (set && fetched.parts.length === 0 && fetched.failures.length === 0 && !options.ignoreNotFound)
    fetched.failures.push({ reason: 'NotFound', message: `nothing of ${set.bySet} is named ${set.names.join(', ')}` })
  return fetched
}

function pathsOf(options: GetOptions, { resource, names, namespace, byName }: Target, session: Session): string[] {
  if (names.length === 0) return [collectionPath(resource, options.allNamespaces ? undefined : session.namespace)]
  if (options.allNamespaces && resource.namespaced && !byName)
    throw new CommandError('an object of a given kind and name cannot be looked up across all namespaces')
  return names.map((name) => objectPath(resource, name, namespace ?? session.namespace))
}

function defined(query: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

async function watch(
  options: GetOptions,
  format: ReturnType<typeof parseOutput>,
  targets: readonly Target[],
  session: Session,
  io: Io,
): Promise<number> {
  const [target, ...others] = targets
  if (!target || others.length > 0 || target.names.length > 1)
    throw new CommandError('--watch takes one kind, and at most one name')
  const { watchTables } = await import('./get-watch.ts')
  const { resource, names } = target
  const within = target.namespace ?? (options.allNamespaces ? undefined : session.namespace)
  const path = collectionPath(resource, within)
  const pinned = names[0] === undefined ? undefined : `metadata.name=${names[0]}`
  const wide = format.form === 'table' && format.wide
  const query = {
    ...defined({ labelSelector: options.selector, fieldSelector: pinned ?? options.fieldSelector }),
    ...(wide && isPods(resource) && WHOLE_OBJECTS),
  }
  const print = format.form === 'table' ? undefined : printEach(options, format, target, session, io)
  return watchTables(
    { path, query, resource, print, look: look(options, wide, targets), mustExist: names.length > 0 },
    session,
    io,
  )
}
