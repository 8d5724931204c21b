/**
 * Reads `skiff.dev/requires`: a YAML list of targets, each alone, with a condition (`job/migrate: Complete`) or with options
 * (`service/db: {timeout: 1m, onTimeout: Fail}`). Strict: whatever is not understood is a problem with its line. Pure.
 */
import { load } from 'js-yaml'
import { PathError, parsePath } from '../json-path-text.ts'
import { dnsSubdomain } from '../names.ts'
import { parseLabelSelector, SelectorError } from '../selectors.ts'
import { MAX_REQUIREMENT_LENGTH, MAX_REQUIREMENTS } from './names.ts'
import { ON_LOSS, ON_TIMEOUT, PROBE_SCHEMES, type ProbeScheme, type Requirement, type Target } from './requirement.ts'

export interface Problem {
  /** From 1, within the annotation. */
  line: number
  message: string
}

export interface Parsed {
  requirements: Requirement[]
  problems: Problem[]
}

const OPTIONS = ['condition', 'namespace', 'optional', 'timeout', 'onTimeout', 'onLoss'] as const
const FORMS = 'KIND/NAME, KIND[SELECTOR], tcp://HOST:PORT, http://HOST[:PORT][/PATH], https://… or grpc://HOST:PORT[/SERVICE]'
const DEFAULT_PORTS: Partial<Record<ProbeScheme, number>> = { http: 80, https: 443 }
/** Of a mistake, in its message. */
const MAX_SHOWN = 100
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export function parseRequires(text: string): Parsed {
  const lines = linesOfItems(text)
  const lineOf = (index: number) => lines[index] ?? lines.at(-1) ?? 1
  if (text.trim() === '') return { requirements: [], problems: [] }
  let items: unknown
  try {
    // A reference to an anchor can say in a line what fills the memory when it is shown.
    items = load(text, { maxAliases: 0 })
  } catch (error) {
    return only((error as { mark?: { line?: number } }).mark?.line ?? 0, reasonOf(error))
  }
  if (items === null || items === undefined) return { requirements: [], problems: [] }
  if (!Array.isArray(items)) return only(0, `must be a YAML list; each item is ${FORMS}`)
  if (items.length > MAX_REQUIREMENTS) return only(0, `has ${items.length} items; at most ${MAX_REQUIREMENTS} are possible`)
  const requirements: Requirement[] = []
  const problems: Problem[] = []
  items.forEach((item, index) => {
    try {
      const requirement = parseItem(item)
      const twin = requirements.findIndex(
        ({ text, condition }) => text === requirement.text && condition === requirement.condition,
      )
      if (twin >= 0) throw new Error(`${requirement.text} is listed twice`)
      requirements.push(requirement)
    } catch (error) {
      problems.push({ line: lineOf(index), message: (error as Error).message })
    }
  })
  return { requirements, problems }
}

function only(line: number, message: string): Parsed {
  return { requirements: [], problems: [{ line: line + 1, message }] }
}

/** The library's message is a picture of the place as well; its first line says what is wrong. */
function reasonOf(error: unknown): string {
  const { reason, message } = error as { reason?: string; message: string }
  return `is not valid YAML: ${reason ?? message.split('\n')[0]}`
}

/** Where the list's items begin; a list in flow style is all on its first line. */
function linesOfItems(text: string): number[] {
  const found: number[] = []
  let indent: string | undefined
  text.split('\n').forEach((line, index) => {
    const [, before] = /^(\s*)-(?:\s|$)/.exec(line) ?? []
    if (before === undefined) return
    indent ??= before
    if (before === indent) found.push(index + 1)
  })
  return found
}

/** Throws an Error whose message is for the user. */
function parseItem(item: unknown): Requirement {
  if (typeof item === 'string') return { text: item.trim(), target: parseTarget(item.trim()) }
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw new Error(`${show(item)} is not ${FORMS}`)
  const [entry, ...others] = Object.entries(item)
  if (!entry) throw new Error(`an empty item says nothing; it must be ${FORMS}`)
  if (others.length > 0) {
    throw new Error(`${entry[0]} stands beside ${others[0]![0]}; options go below it, as in "${entry[0]}: {timeout: 1m}"`)
  }
  const [text, value] = entry
  const target = parseTarget(text)
  if (typeof value === 'string') return { text, target, condition: conditionFor(target, value) }
  if (value === null) throw new Error(`${text}: nothing follows the colon; leave it out, or name a condition`)
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error(`${text}: ${show(value)} is no condition and no options`)
  return withOptions(text, target, value as Record<string, unknown>)
}

function withOptions(text: string, target: Target, options: Record<string, unknown>): Requirement {
  for (const name of Object.keys(options))
    if (!OPTIONS.some((known) => known === name))
      throw new Error(`${text}: there is no option ${name}; there are ${OPTIONS.join(', ')}`)
  const { condition, namespace, optional, timeout, onTimeout, onLoss } = options
  if (namespace !== undefined) {
    if (target.type === 'probe') throw new Error(`${text}: a namespace goes into the host, as in "tcp://NAME.NAMESPACE:PORT"`)
    if (typeof namespace !== 'string' || dnsSubdomain(namespace).length > 0)
      throw new Error(`${text}: ${show(namespace)} is no namespace`)
    target.namespace = namespace
  }
  if (optional !== undefined && typeof optional !== 'boolean')
    throw new Error(`${text}: optional is true or false, not ${show(optional)}`)
  if (optional && target.type === 'probe')
    throw new Error(`${text}: what must answer cannot be optional; give it a timeout with onTimeout: Proceed`)
  if (onTimeout !== undefined && timeout === undefined) throw new Error(`${text}: onTimeout needs a timeout`)
  return {
    text,
    target,
    ...(condition !== undefined && { condition: conditionFor(target, condition) }),
    ...(optional === true && { optional }),
    ...(timeout !== undefined && { timeoutMs: durationMs(text, timeout) }),
    ...(onTimeout !== undefined && { onTimeout: oneOf(text, 'onTimeout', ON_TIMEOUT, onTimeout) }),
    ...(onLoss !== undefined && { onLoss: oneOf(text, 'onLoss', ON_LOSS, onLoss) }),
  }
}

function parseTarget(text: string): Target {
  if (text.length > MAX_REQUIREMENT_LENGTH)
    throw new Error(`${show(text)} has ${text.length} characters; at most ${MAX_REQUIREMENT_LENGTH} are possible`)
  const url = /^([a-z]+):\/\/(.*)$/.exec(text)
  if (url) return parseProbe(text, url[1] ?? '')
  const selected = /^([A-Za-z0-9.-]+)\[(.*)\]$/.exec(text)
  if (selected) {
    const [, kind = '', selector = ''] = selected
    try {
      if (parseLabelSelector(selector).toString() === '' || selector.trim() === '') throw new SelectorError('it picks everything')
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error
      throw new Error(`${text}: ${JSON.stringify(selector)} is no label selector: ${error.message}`)
    }
    return { type: 'selector', kind, selector }
  }
  const [, kind = '', name = ''] = /^([A-Za-z0-9.-]+)\/([^/]+)$/.exec(text) ?? []
  if (kind === '') throw new Error(`${show(text)} is not ${FORMS}`)
  if (!/^[a-z0-9A-Z:][-a-z0-9A-Z.:]*$/.test(name)) throw new Error(`${text}: ${show(name)} is no name of an object`)
  return { type: 'object', kind, name }
}

function parseProbe(text: string, scheme: string): Target {
  const known = PROBE_SCHEMES.find((each) => each === scheme)
  if (!known) throw new Error(`${text}: ${scheme} is not among ${PROBE_SCHEMES.join(', ')}`)
  const [, host = '', port, path = ''] = /^[a-z]+:\/\/([a-z0-9A-Z.-]+|\[[0-9a-fA-F:]+\])(?::(\d+))?(\/.*)?$/.exec(text) ?? []
  if (host === '') throw new Error(`${text}: ${known}:// is followed by HOST:PORT`)
  if (path !== '' && known === 'tcp') throw new Error(`${text}: a tcp address has no path`)
  const number = port === undefined ? DEFAULT_PORTS[known] : Number(port)
  if (number === undefined) throw new Error(`${text}: the port is missing`)
  if (number < 1 || number > 65_535) throw new Error(`${text}: ${number} is no port`)
  const serviceOrPath = known === 'grpc' ? path.slice(1) : path || '/'
  return { type: 'probe', scheme: known, host, port: number, path: known === 'tcp' ? '' : serviceOrPath }
}

function conditionFor(target: Target, value: unknown): string {
  if (target.type === 'probe') throw new Error('an address has no conditions: it answers, or it does not')
  if (typeof value !== 'string' || value === '') throw new Error(`${show(value)} is no condition`)
  if (value.length > MAX_REQUIREMENT_LENGTH)
    throw new Error(`${show(value)} has ${value.length} characters; at most ${MAX_REQUIREMENT_LENGTH} are possible`)
  const path = /^jsonpath=\{(.*?)\}(?:=(.*))?$/s.exec(value)
  if (path) {
    try {
      parsePath(path[1] ?? '')
    } catch (error) {
      if (!(error instanceof PathError)) throw error
      throw new Error(`${value}: ${error.message}`)
    }
    if (/^secrets?$/i.test(target.kind)) throw new Error('what a secret holds cannot be a condition; that it exists can')
    return value
  }
  if (!/^[A-Za-z]([-A-Za-z0-9_./]*[A-Za-z0-9])?$/.test(value)) {
    throw new Error(`${show(value)} is no condition; it is a type such as Ready, Exists, or jsonpath={.status.phase}=Bound`)
  }
  return value
}

function oneOf<T extends string>(text: string, option: string, known: readonly T[], value: unknown): T {
  const found = known.find((each) => each === value)
  if (!found) throw new Error(`${text}: ${option} is ${known.join(', ')}, not ${show(value)}`)
  return found
}

function durationMs(text: string, value: unknown): number {
  const given = typeof value === 'number' ? `${value}s` : value
  if (typeof given !== 'string' || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(given))
    throw new Error(`${text}: timeout is a duration such as 30s or 1m30s, not ${show(value)}`)
  const parts = [...given.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  const sum = parts.reduce((total, [, count, unit]) => total + Number(count) * (UNITS[unit ?? ''] ?? 0), 0)
  if (sum <= 0) throw new Error(`${text}: a timeout of nothing is none; leave it out`)
  return Math.round(sum)
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a map'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}
