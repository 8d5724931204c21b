/** The column of `get pods -o wide` with what pods say of themselves by sd_notify; only where one of them does. */
import { NOTIFY_CONDITION } from '../api/extensions/names.ts'
import type { Pod } from '../api/types.ts'
import type { TablePart } from './print-tables.ts'

/** What a list of pods is asked for, so that its rows hold their conditions. */
export const WHOLE_OBJECTS = { includeObject: 'Object' }

export const isPods = ({ group, plural }: { group: string; plural: string }): boolean => group === '' && plural === 'pods'

/** `always`: also where none of these does. */
export function withWhatIsSaid(part: TablePart, always = false): TablePart {
  const { resource, table } = part
  if (!isPods(resource) || !table.columnDefinitions) return part
  const said = table.rows.map(({ object }) => whatIsSaid(object as Pod))
  if (!always && said.every((text) => text === undefined)) return part
  const rows = table.rows.map((row, index) => ({ ...row, cells: [...row.cells, said[index] ?? '<none>'] }))
  const columnDefinitions = [...table.columnDefinitions, { name: 'Says', type: 'string', priority: 1 }]
  return { resource, table: { ...table, columnDefinitions, rows } }
}

/** Whether one of them does. */
export function isAnythingSaid({ table }: TablePart): boolean {
  return table.rows.some(({ object }) => whatIsSaid(object as Pod) !== undefined)
}

/** The words, else the one word for where it is. */
function whatIsSaid({ status }: Pod): string | undefined {
  const condition = status?.conditions?.find(({ type }) => type === NOTIFY_CONDITION)
  return condition && (condition.message || condition.reason)
}
