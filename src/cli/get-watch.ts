/** `skiff get --watch`: the table of what is there, then a row for each change until interrupted. */
import type { KubeObject } from '../api/object.ts'
import { isExpired, notFound } from '../api/status.ts'
import type { DiscoveredResource } from '../client/discovery.ts'
import { INTERRUPTED, type Io, writeLine } from './io.ts'
import { TABLE_ACCEPT, type Table, type TableLook, textOf } from './print-tables.ts'
import { isAnythingSaid, isPods, withWhatIsSaid } from './said-column.ts'
import type { Session } from './session.ts'
import { formatTable } from './table.ts'

export interface WatchTables {
  path: string
  query: Record<string, string>
  resource: DiscoveredResource
  /** Prints an object of its own form; absent: rows of a table. */
  print: ((object: KubeObject) => Promise<void>) | undefined
  look: TableLook
  /** One object by name: its absence is a failure. */
  mustExist: boolean
}

export async function watchTables(options: WatchTables, session: Session, io: Io): Promise<number> {
  const { transport } = session.client
  const { path, query } = options
  const headers: Record<string, string> = options.print ? {} : { accept: TABLE_ACCEPT }
  const show = options.print ?? rowPrinter(options, io)
  let first = true
  while (!io.signal.aborted) {
    const { object: list } = await transport.request({ method: 'GET', path, query, headers, signal: io.signal })
    if (first) await showList(list, options, show)
    first = false
    let resourceVersion = list.metadata.resourceVersion ?? ''
    try {
      // A server ends watches now and then: they go on from the last version seen.
      while (!io.signal.aborted) {
        const watchQuery = { ...query, watch: '1', allowWatchBookmarks: 'true', resourceVersion }
        for await (const events of transport.watch({ method: 'GET', path, query: watchQuery, headers, signal: io.signal })) {
          for (const { type, object } of events) {
            resourceVersion = versionOf(object) ?? resourceVersion
            if (type !== 'BOOKMARK') await show(object)
          }
        }
      }
    } catch (error) {
      if (io.signal.aborted) break
      if (!isExpired(error)) throw error
      writeLine(io.stderr, 'the watch was too far behind and begins again')
      first = true
    }
  }
  return INTERRUPTED
}

async function showList(
  list: KubeObject,
  { print, mustExist, resource, query }: WatchTables,
  show: (object: KubeObject) => Promise<void>,
): Promise<void> {
  const rows = (print ? (list.items as KubeObject[]) : (list as unknown as Table).rows) ?? []
  if (rows.length === 0 && mustExist) throw notFound(resource, query.fieldSelector?.split('=')[1] ?? '')
  if (!print) await show(list)
  else for (const object of rows) await show(object as KubeObject)
}

/**
 * Rows stay in line with those above; the header is printed once, and columns are only named in the first event. What pods say of
 * themselves is a column from the first one on that does.
 */
function rowPrinter({ resource, look }: WatchTables, io: Io): (table: KubeObject) => Promise<void> {
  const widths: number[] = []
  let columns: Table['columnDefinitions']
  let headerPrinted = look.noHeaders
  let isSaid = false
  return async (object) => {
    const table = object as unknown as Table
    columns = table.columnDefinitions?.length ? table.columnDefinitions : columns
    const part = { resource, table: { ...table, columnDefinitions: columns } }
    if (!isSaid && look.wide && isPods(resource) && isAnythingSaid(part)) {
      isSaid = true
      headerPrinted = look.noHeaders
    }
    const shown = isSaid ? withWhatIsSaid(part, true) : part
    const { header, rows } = textOf(resource, shown.table, { ...look, nowMs: Date.now() })
    if (rows.length === 0) return
    io.stdout.write(formatTable(headerPrinted ? undefined : header, rows, widths))
    headerPrinted = true
  }
}

function versionOf(object: KubeObject): string | undefined {
  const rows = (object as unknown as Table).rows
  return rows?.at(-1)?.object.metadata.resourceVersion ?? object.metadata?.resourceVersion
}
