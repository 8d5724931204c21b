/** The field paths that Kubernetes has itself: they stay as they are, and a longer way to write one is written as it. */
import { type FieldSource, isPlural } from './source.ts'

/** What a reference is made for: variables and files have different stock paths. */
export type Use = 'env' | 'file'

const COMMON = ['metadata.name', 'metadata.namespace', 'metadata.uid']
const STOCK: Record<Use, ReadonlySet<string>> = {
  env: new Set([
    ...COMMON,
    ...['spec.nodeName', 'spec.serviceAccountName', 'status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs'],
    // Kubernetes still takes the field's name of the time before v1.
    'spec.host',
  ]),
  file: new Set([...COMMON, 'metadata.labels', 'metadata.annotations']),
}
const SUBSCRIPT = /^metadata\.(?:labels|annotations)\['[^']*'\]$/

export function isStockPath(path: string, use: Use): boolean {
  return STOCK[use].has(path) || (path.startsWith('metadata.') && SUBSCRIPT.test(path))
}

/** The stock path that says the same, or undefined. */
export function asStockPath({ origin, steps, json, fallback }: FieldSource, use: Use): string | undefined {
  if (origin.from !== 'pod' || json || fallback !== undefined || isPlural(steps)) return undefined
  const names = steps.map((step) => (step.step === 'field' ? step.name : undefined))
  if (names.includes(undefined)) return undefined
  const [first, second, third] = names
  if (names.length === 3 && first === 'metadata' && (second === 'labels' || second === 'annotations')) {
    return third!.includes("'") ? undefined : `metadata.${second}['${third}']`
  }
  const path = names.join('.')
  return STOCK[use].has(path) ? path : undefined
}
