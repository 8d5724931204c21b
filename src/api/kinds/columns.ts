/** Table cells that several kinds share, worded as kubectl shows them. Knows nothing of single kinds. */
import type { Column } from '../definition.ts'
import { humanDuration } from '../human-duration.ts'
import type { KubeObject } from '../object.ts'
import { formatLabelSelector, formatLabels } from '../selectors.ts'
import type { Container, LabelSelector, PodSpec } from '../types.ts'

type Cell = Column['cell']

/** A column that is always shown. */
export function column(name: string, cell: Cell, type: Column['type'] = 'string'): Column {
  return { name, type, priority: 0, cell }
}

/** A column of `-o wide`. */
export function wideColumn(name: string, cell: Cell, type: Column['type'] = 'string'): Column {
  return { name, type, priority: 1, cell }
}

export const ageColumn: Column = column('Age', (object, { now }) => since(object.metadata.creationTimestamp, now))

/** Container names, images and selector, as the workload kinds show them with `-o wide`. */
export function templateColumns(template: (object: KubeObject) => PodSpec | undefined): Column[] {
  return [
    wideColumn('Containers', (object) => containersOf(template(object), (container) => container.name)),
    wideColumn('Images', (object) => containersOf(template(object), (container) => container.image ?? '')),
  ]
}

export function selectorColumn(selector: (object: KubeObject) => LabelSelector | undefined): Column {
  return wideColumn('Selector', (object) => formatLabelSelector(selector(object)))
}

export function labelsColumn(labels: (object: KubeObject) => Record<string, string> | undefined): Column {
  return wideColumn('Selector', (object) => formatLabels(labels(object)))
}

function containersOf(spec: PodSpec | undefined, read: (container: Container) => string): string {
  return (spec?.containers ?? []).map(read).join(',')
}

/** How long ago a time was, in words; `<unknown>` when there is none. `now` in milliseconds. */
export function since(time: string | undefined | null, now: number): string {
  if (!time) return '<unknown>'
  return humanDuration(now - Date.parse(time))
}

/** `RWO,ROX`: access modes, each once, in the order kubectl has them. */
export function accessModes(modes: readonly string[] | undefined): string {
  return ACCESS_MODES.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',')
}

const ACCESS_MODES = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const
