/**
 * How long each stage of a container's life may take, as systemd has it for units: `preStart: 30s, start: 2m, ready: 1m,
 * stop: 20s, watchdog: 10s`. Commas or lines between them; `infinity` is no limit. Strict and pure.
 */
import type { Pod } from '../types.ts'
import { type AnnotationProblem, TIMEOUTS, TIMEOUTS_PREFIX } from './names.ts'

/**
 * `requires`: until what the pod needs is there (the pod's own, never a container's). `preStart`: one run of the container's
 * pre-start hook. `start`: from the container's turn, its image included, until it runs. `ready`: from there until it is
 * ready. `stop`: from the first signal until it has ended. `watchdog`: between two signs of life.
 */
const STAGES = ['requires', 'preStart', 'start', 'ready', 'stop', 'watchdog'] as const
export type Stage = (typeof STAGES)[number]
/** In milliseconds; a stage that is absent has no limit of its own. */
export type StageTimeouts = Readonly<Partial<Record<Stage, number>>>

/** What the status says of a container, or a pod, whose stage took too long. */
export const stageTimeoutReason = (stage: Stage): string => `StageTimeout:${stage}`

/** The longest that a timer of the node takes, about 24 days. */
const MAX_MS = 2 ** 31 - 1
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** Throws an Error that says where and what would have been possible. */
export function parseStageTimeouts(text: string): StageTimeouts {
  const found: Partial<Record<Stage, number>> = {}
  const whole = text.trim()
  const body = whole.startsWith('{') && whole.endsWith('}') ? whole.slice(1, -1) : whole
  for (const entry of body.split(/[,\n]/)) {
    if (entry.trim() === '') continue
    // Trimmed first: an expression that could do without would take for ever over an entry that is mostly spaces.
    const [, name = '', rest = ''] = /^"?(\w+)"?\s*[:=](.*)$/s.exec(entry.trim()) ?? []
    const duration = rest.trim().replace(/^"([^"]*)"$/, '$1')
    if (name === '' || duration.includes('"'))
      throw new Error(`${JSON.stringify(entry.trim())} is not of the form STAGE: DURATION`)
    const stage = STAGES.find((known) => known === name)
    if (!stage) throw new Error(`there is no stage ${JSON.stringify(name)}; there are ${STAGES.join(', ')}`)
    if (stage in found) throw new Error(`${stage} is given twice`)
    found[stage] = parseDuration(stage, duration)
  }
  if (Object.keys(found).length === 0) throw new Error(`names no stage; there are ${STAGES.join(', ')}`)
  return Object.fromEntries(Object.entries(found).filter(([, ms]) => ms !== Number.POSITIVE_INFINITY))
}

/** `1m30s`, `1min 30s`, `500ms`, a number of seconds, or `infinity`. */
function parseDuration(stage: Stage, text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  const seconds = /^\d+(?:\.\d+)?$/.test(text)
  if (!seconds && !/^(?:\d+(?:\.\d+)?(?:ms|s|min|m|h|d)\s*)+$/.test(text))
    throw new Error(`${stage}: ${JSON.stringify(text)} is no duration; write 500ms, 30s, 1m30s, 2h or infinity`)
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h|d)/g)]
  const ms = seconds ? Number(text) * 1000 : parts.reduce((sum, [, n, unit]) => sum + Number(n) * (UNITS[unit ?? ''] ?? 0), 0)
  if (ms <= 0) throw new Error(`${stage}: a timeout is longer than nothing; leave the stage out, or write infinity, for no limit`)
  if (ms > MAX_MS) throw new Error(`${stage}: ${text} is longer than 24 days; write infinity for no limit`)
  return Math.round(ms)
}

export interface TimeoutWishes {
  /** For a container without an annotation of its own. */
  pod: StageTimeouts
  /** By container, the pod's filled in. */
  containers: ReadonlyMap<string, StageTimeouts>
  problems: readonly AnnotationProblem[]
}

export function timeoutWishes({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): TimeoutWishes {
  const problems: AnnotationProblem[] = []
  const annotations = metadata.annotations ?? {}
  const read = (annotation: string): StageTimeouts => {
    try {
      return parseStageTimeouts(annotations[annotation] ?? '')
    } catch (error) {
      problems.push({ annotation, message: (error as Error).message })
      return {}
    }
  }
  const pod = annotations[TIMEOUTS] === undefined ? {} : read(TIMEOUTS)
  const containers = new Map<string, StageTimeouts>()
  const names = new Set([...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => name))
  for (const annotation of Object.keys(annotations)) {
    if (!annotation.startsWith(TIMEOUTS_PREFIX)) continue
    const name = annotation.slice(TIMEOUTS_PREFIX.length)
    const own = read(annotation)
    if (!names.has(name)) problems.push({ annotation, message: `the pod has no container ${JSON.stringify(name)}` })
    else if (own.requires !== undefined)
      problems.push({ annotation, message: `requires is the whole pod's; write it in ${TIMEOUTS}` })
    else containers.set(name, { ...pod, ...own })
  }
  return { pod, containers, problems }
}
