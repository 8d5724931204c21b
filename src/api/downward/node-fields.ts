/**
 * Which fields of a node pods may see: what the ConfigMap `kube-system/skiff-node-fields` lists under `allow`, a path a line, or
 * else what says where a pod runs and nothing about who else does. An entry allows what is below it; `*` in it stands for any
 * text. Pure.
 */
import type { Step } from '../json-path.ts'
import type { ConfigMap } from '../types.ts'
import { parseFieldSource } from './parse.ts'
import { FieldPathError } from './source.ts'

export const NODE_FIELDS = { namespace: 'kube-system', name: 'skiff-node-fields', key: 'allow' }

export const DEFAULT_NODE_FIELDS: readonly string[] = [
  'metadata.name',
  "metadata.labels['kubernetes.io/*']",
  "metadata.labels['node.kubernetes.io/instance-type']",
  "metadata.labels['topology.kubernetes.io/*']",
  'status.addresses',
  'status.allocatable',
  'status.capacity',
  ...['architecture', 'containerRuntimeVersion', 'kernelVersion', 'kubeletVersion', 'operatingSystem', 'osImage'].map(
    (name) => `status.nodeInfo.${name}`,
  ),
]

/** The list of the ConfigMap, or the default one where there is none. */
export function nodeFieldsOf(configMap: ConfigMap | undefined): readonly string[] {
  if (!configMap) return DEFAULT_NODE_FIELDS
  return (configMap.data?.[NODE_FIELDS.key] ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** An entry that is no path allows nothing. */
export function isAllowed({ steps }: { steps: readonly Step[] }, allowed: readonly string[]): boolean {
  return allowed.some((entry) => covers(stepsOf(entry), steps))
}

function stepsOf(entry: string): readonly Step[] {
  try {
    return parseFieldSource(entry).steps
  } catch (error) {
    if (error instanceof FieldPathError) return []
    throw error
  }
}

function covers(entry: readonly Step[], steps: readonly Step[]): boolean {
  return entry.length > 0 && entry.every((allowed, index) => coversStep(allowed, steps[index]))
}

function coversStep(allowed: Step, step: Step | undefined): boolean {
  if (allowed.step === 'every') return step !== undefined && step.step !== 'descend'
  if (allowed.step !== 'field') return false
  if (step?.step === 'field') return matches(allowed.name, step.name)
  return step?.step === 'names' && step.names.every((name) => matches(allowed.name, name))
}

function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return name === pattern
  const last = rest.pop() ?? ''
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}
