/** Table cells that several kinds share, worded as kubectl shows them. Knows nothing of single kinds. */
import type { Column } from '../definition.ts'
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

const MINUTE = 60
const HOUR = 60 * MINUTE

/** A duration as kubectl writes it: `45s`, `3m12s`, `5h`, `2d3h`, `1y30d`. At most two units, fewer as it grows. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 2 * MINUTE) return `${seconds}s`
  const minutes = Math.trunc(seconds / MINUTE)
  if (minutes < 10) return two(minutes, 'm', seconds % MINUTE, 's')
  if (minutes < 3 * 60) return `${minutes}m`
  const hours = Math.trunc(seconds / HOUR)
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (hours < 24 * 8) return two(days, 'd', hours % 24, 'h')
  if (hours < 24 * 365 * 2) return `${days}d`
  const years = Math.trunc(days / 365)
  return hours < 24 * 365 * 8 ? two(years, 'y', days % 365, 'd') : `${years}y`
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
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
