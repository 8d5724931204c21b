/** A tree as lines for a reader. Decides, prints nothing. */
import { age } from '../age.ts'
import type { TreeNode } from './plan.ts'
import type { Health } from './state.ts'

export interface TreeLook {
  readonly nowMs: number
  /** Where names lie that say nothing about it. */
  readonly namespace: string
  /** The width of the terminal, where there is one. */
  readonly columns: number | undefined
  readonly colors: boolean
  /** Every object on a line of its own. */
  readonly full: boolean
}

/** More siblings of a kind than these are counted, as far as they are well. */
const MAX_NAMED = 5
const GAP = 3
const PLAIN = '\x1b[0m'
const NAMED = '\x1b[1m'
const FAINT = '\x1b[2m'
const COLORS: Readonly<Record<Health, string>> = { well: '\x1b[32m', busy: '\x1b[33m', bad: '\x1b[31m', idle: FAINT }

interface Row {
  /** What is drawn before the name. */
  readonly branch: string
  readonly name: string
  readonly ready: string
  readonly age: string
  readonly text: string
  readonly health: Health
  readonly isNamed: boolean
}

export function treeLines(trees: readonly TreeNode[], look: TreeLook): string[] {
  const rows = trees.flatMap((tree) => rowsOf(tree, '', '', look))
  const header: Row = { branch: '', name: 'NAME', ready: 'READY', age: 'AGE', text: 'STATUS', health: 'well', isNamed: false }
  const widths = {
    name: widest([header, ...rows], ({ branch, name }) => branch + name),
    ready: widest([header, ...rows], (row) => row.ready),
    age: widest([header, ...rows], (row) => row.age),
  }
  return [header, ...rows].map((row) => lineOf(row, widths, row === header ? { ...look, colors: false } : look))
}

function widest(rows: readonly Row[], text: (row: Row) => string): number {
  return rows.reduce((most, row) => Math.max(most, text(row).length), 0) + GAP
}

function lineOf(row: Row, widths: { name: number; ready: number; age: number }, { colors, columns }: TreeLook): string {
  const name = (row.branch + row.name).padEnd(widths.name)
  const before = name + row.ready.padEnd(widths.ready) + row.age.padEnd(widths.age)
  const room = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(0, columns - before.length)
  const text = row.text.length <= room ? row.text : `${row.text.slice(0, Math.max(0, room - 1))}…`
  if (!colors) return (before + text).trimEnd()
  const paint = (part: string, color: string) => (part.trim() === '' ? part : `${color}${part}${PLAIN}`)
  const color = COLORS[row.health]
  const shown = row.isNamed ? paint(name.slice(row.branch.length), NAMED) : name.slice(row.branch.length)
  const ready = row.ready.padEnd(widths.ready)
  return paint(row.branch, FAINT) + shown + paint(ready, color) + paint(row.age.padEnd(widths.age), FAINT) + paint(text, color)
}

/** `branch` is drawn before the node itself, `indent` before what is below it. */
function rowsOf(node: TreeNode, branch: string, indent: string, look: TreeLook): Row[] {
  const relation = node.relation === undefined ? '' : `${node.relation} `
  const since = node.createdAt === undefined ? '' : age(node.createdAt, look.nowMs)
  const { namespace } = node.candidate ?? node.missing ?? {}
  const where = namespace !== undefined && namespace !== look.namespace ? ` (in ${namespace})` : ''
  const text = oneLine(node.isRepeated ? [node.state.text, '(see above)'].filter(Boolean).join(' ') : node.state.text)
  const own: Row = {
    ...{ branch, name: `${relation}${node.handle}${where}`, ready: node.state.ready ?? '', age: since, text },
    ...{ health: node.state.health, isNamed: node.isNamed === true },
  }
  const shown = look.full ? node.children.map((child) => ({ child })) : folded(node.children)
  const below = shown.flatMap((one, index) => {
    const isLast = index === shown.length - 1
    const [line, next] = isLast ? ['└─ ', '   '] : ['├─ ', '│  ']
    if ('child' in one) return rowsOf(one.child, indent + line, indent + next, look)
    return [{ branch: indent + line, name: one.count, ready: '', age: '', text: one.text, health: one.health, isNamed: false }]
  })
  return [own, ...below]
}

type Shown = { child: TreeNode } | { count: string; text: string; health: Health }

/** Of many of a kind, those that are well or idle become a number: where they stand after the others of the kind. */
function folded(children: readonly TreeNode[]): Shown[] {
  const groups = new Map<string, TreeNode[]>()
  for (const child of children) {
    const key = `${child.relation ?? ''} ${child.handle.split('/')[0]}`
    const group = groups.get(key)
    if (group) group.push(child)
    else groups.set(key, [child])
  }
  return [...groups.values()].flatMap((group) => {
    const history = group.filter(isHistory)
    const rest = group.filter((child) => !isHistory(child))
    return [...foldedGroup(rest, MAX_NAMED), ...foldedGroup(history, 1)]
  })
}

/** Nothing is below it, and nothing will come of it: what a workload keeps to go back to. */
function isHistory({ candidate, state, children, relation }: TreeNode): boolean {
  if (candidate?.resource.group !== 'apps' || relation !== undefined || children.length > 0) return false
  return state.health === 'idle' || candidate.resource.plural === 'controllerrevisions'
}

function foldedGroup(group: readonly TreeNode[], most: number): Shown[] {
  if (group.length <= most) return group.map((child) => ({ child }))
  const telling = group.filter(isTelling)
  const named = telling.slice(0, most)
  const quiet = group.filter((child) => !isTelling(child))
  const more = telling.slice(most)
  return [
    ...named.map((child) => ({ child })),
    ...[more, quiet].filter((part) => part.length > 0).map((part) => countOf(part, named.length > 0)),
  ]
}

function isTelling(node: TreeNode): boolean {
  const { health } = node.state
  return health === 'bad' || health === 'busy' || node.isNamed === true || node.children.some(isTelling)
}

function countOf(group: readonly TreeNode[], isRest: boolean): Shown {
  const [first] = group as [TreeNode]
  const kind = first.candidate?.resource.plural ?? `${first.handle.split('/')[0]}s`
  const relation = first.relation === undefined ? '' : `${first.relation} `
  const states = [...new Set(group.map(({ state }) => state.text).filter(Boolean))]
  const text = states.length === 1 ? states[0]! : states.length > 1 ? 'in several states' : ''
  const word = group.length === 1 ? kind.replace(/s$/, '') : kind
  return { count: `${relation}${group.length}${isRest ? ' more' : ''} ${word}`, text, health: first.state.health }
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}
