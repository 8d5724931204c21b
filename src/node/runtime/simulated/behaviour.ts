/**
 * How simulated containers behave: defaults, rules given in code, and annotations on the pod, in this order. Pure.
 * `simulated.skiff.dev/<setting>` holds for every container of a pod, `simulated.skiff.dev/<container>.<setting>` for one.
 */
import { type Quantity, quantityValue, tryParseQuantity } from '../../../api/quantity.ts'

export interface Behaviour {
  /** From the start being asked for to the container running. */
  startDelayMs: number
  /** From running to probes succeeding. */
  readyDelayMs: number
  /** From SIGTERM to the end. */
  stopDelayMs: number
  /** The container ends by itself after this; without it, it runs until it is stopped. */
  runForMs?: number
  /** With which code it then ends. */
  exitCode: number
  /** Only that many runs end by themselves, counted over restarts; later ones stay. */
  failures?: number
  /** Readiness and startup probes never succeed. */
  unready: boolean
  /** Liveness probes fail from then on. */
  unhealthyAfterMs?: number
  /** The start fails with this text. */
  startError?: string
  /** What it uses while it runs. Without it: half of what it requests, and where it requests nothing 1m and 10Mi. */
  cpuNanoCores?: number
  memoryBytes?: number
  /** Lines the container writes when it starts, besides its standing ones. */
  log: string[]
}

export interface BehaviourRule {
  /** Which pods and containers are meant; what is absent does not matter. */
  namespace?: string
  labels?: Readonly<Record<string, string>>
  container?: string
  image?: RegExp
  behaviour: Partial<Behaviour>
}

const DEFAULT_BEHAVIOUR: Behaviour = {
  startDelayMs: 0,
  readyDelayMs: 0,
  stopDelayMs: 0,
  exitCode: 0,
  unready: false,
  log: [],
}

const ANNOTATION_PREFIX = 'simulated.skiff.dev/'

export interface Subject {
  namespace: string
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  container: string
  image: string
}

/** Throws an Error that names an annotation which makes no sense. */
export function behaviourOf(subject: Subject, rules: readonly BehaviourRule[]): Behaviour {
  let behaviour = DEFAULT_BEHAVIOUR
  for (const rule of rules) if (applies(rule, subject)) behaviour = { ...behaviour, ...rule.behaviour }
  const general: Partial<Behaviour> = {}
  const own: Partial<Behaviour> = {}
  for (const [key, value] of Object.entries(subject.annotations)) {
    if (!key.startsWith(ANNOTATION_PREFIX)) continue
    const name = key.slice(ANNOTATION_PREFIX.length)
    const dot = name.lastIndexOf('.')
    if (dot < 0) apply(general, name, value)
    else if (name.slice(0, dot) === subject.container) apply(own, name.slice(dot + 1), value)
  }
  return { ...behaviour, ...general, ...own }
}

function applies(rule: BehaviourRule, subject: Subject): boolean {
  if (rule.namespace !== undefined && rule.namespace !== subject.namespace) return false
  if (rule.container !== undefined && rule.container !== subject.container) return false
  if (rule.image && !rule.image.test(subject.image)) return false
  return Object.entries(rule.labels ?? {}).every(([key, value]) => subject.labels[key] === value)
}

function apply(behaviour: Partial<Behaviour>, setting: string, value: string): void {
  switch (setting) {
    case 'start-delay':
      behaviour.startDelayMs = durationMs(setting, value)
      break
    case 'ready-delay':
      behaviour.readyDelayMs = durationMs(setting, value)
      break
    case 'stop-delay':
      behaviour.stopDelayMs = durationMs(setting, value)
      break
    case 'run-for':
      behaviour.runForMs = durationMs(setting, value)
      break
    case 'unhealthy-after':
      behaviour.unhealthyAfterMs = durationMs(setting, value)
      break
    case 'exit-code':
      behaviour.exitCode = count(setting, value)
      behaviour.runForMs ??= 0
      break
    case 'failures':
      behaviour.failures = count(setting, value)
      break
    case 'ready':
      behaviour.unready = value === 'false'
      break
    case 'start-error':
      behaviour.startError = value
      break
    case 'cpu':
      behaviour.cpuNanoCores = Number(amount(setting, value).nano)
      break
    case 'memory':
      behaviour.memoryBytes = quantityValue(amount(setting, value))
      break
    case 'log':
      behaviour.log = value.split('\n')
      break
    default:
      throw new Error(`annotation ${ANNOTATION_PREFIX}${setting}: no such setting`)
  }
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

function durationMs(setting: string, value: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value)
  if (!match)
    throw new Error(`annotation ${ANNOTATION_PREFIX}${setting}: ${JSON.stringify(value)} is no duration like 500ms, 2s or 1m`)
  return Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1000)
}

function amount(setting: string, value: string): Quantity {
  const quantity = tryParseQuantity(value)
  if (!quantity || quantity.nano < 0n)
    throw new Error(`annotation ${ANNOTATION_PREFIX}${setting}: ${JSON.stringify(value)} is no quantity like 250m or 64Mi`)
  return quantity
}

function count(setting: string, value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value)) throw new Error(`annotation ${ANNOTATION_PREFIX}${setting}: ${JSON.stringify(value)} is no number`)
  return number
}
