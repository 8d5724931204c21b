/** Values of flags, as docker has them, in Kubernetes' words. Pure; throws CommandError naming the flag. */
import { CommandError } from '../io.ts'

const refuse = (flag: string, text: string, takes: string): CommandError =>
  new CommandError(`${flag} takes ${takes}, not ${JSON.stringify(text)}`)

/** `512m` is 512 MiB, as docker counts; Kubernetes' own suffixes (Mi, Gi, M with two letters or none) stay as they are. */
export function memory(text: string): string {
  const docker = /^(\d+(?:\.\d+)?)([bkmg])$/i.exec(text)
  if (docker) return `${docker[1]}${{ b: '', k: 'Ki', m: 'Mi', g: 'Gi' }[docker[2]!.toLowerCase()]}`
  if (/^\d+(\.\d+)?(Ki|Mi|Gi|Ti)?$/.test(text)) return text
  throw refuse('--memory', text, 'an amount such as 512m, 2g or 1Gi')
}

export function cpu(text: string): string {
  if (/^\d+(\.\d+)?$|^\d+m$/.test(text) && Number.parseFloat(text) > 0) return text
  throw refuse('--cpu', text, 'a number of cores such as 0.5, 2 or 250m')
}

export function user(text: string): { runAsUser: number; runAsGroup?: number } {
  const match = /^(\d+)(?::(\d+))?$/.exec(text)
  if (!match) throw refuse('--user', text, 'numbers, UID or UID:GID (a cluster does not know the names in an image)')
  return { runAsUser: Number(match[1]), ...(match[2] !== undefined && { runAsGroup: Number(match[2]) }) }
}

export interface PortValue {
  containerPort: number
  hostPort?: number
  hostIP?: string
  protocol?: 'UDP' | 'TCP' | 'SCTP'
}

/** `80`, `8080:80`, `127.0.0.1:8080:80`, each with `/udp`. */
export function port(text: string): PortValue {
  const match = /^(?:(?:(\d+\.\d+\.\d+\.\d+):)?(\d+):)?(\d+)(?:\/(tcp|udp|sctp))?$/i.exec(text)
  const numbers = [match?.[2], match?.[3]].flatMap((one) => (one === undefined ? [] : [Number(one)]))
  if (!match || numbers.some((number) => number < 1 || number > 65_535))
    throw refuse('--port', text, '[HOST:]PORT[/udp], each from 1 to 65535')
  const protocol = match[4]?.toUpperCase() as PortValue['protocol']
  return {
    containerPort: Number(match[3]),
    ...(match[2] !== undefined && { hostPort: Number(match[2]) }),
    ...(match[1] !== undefined && { hostIP: match[1] }),
    ...(protocol && protocol !== 'TCP' && { protocol }),
  }
}

const PULL: Record<string, string> = {
  always: 'Always',
  missing: 'IfNotPresent',
  ifnotpresent: 'IfNotPresent',
  never: 'Never',
}

export function pull(text: string): string {
  const policy = PULL[text.toLowerCase()]
  if (policy) return policy
  throw refuse('--pull', text, 'always, missing or never')
}

export interface Restart {
  policy: 'Always' | 'OnFailure' | 'Never'
  /** Of `on-failure:3`. */
  retries?: number
}

const RESTART: Record<string, Restart['policy']> = {
  no: 'Never',
  never: 'Never',
  always: 'Always',
  'unless-stopped': 'Always',
  'on-failure': 'OnFailure',
  onfailure: 'OnFailure',
}

export function restart(text: string): Restart {
  const [word = '', count, ...more] = text.toLowerCase().split(':')
  const policy = RESTART[word]
  const counted = count === undefined || (policy === 'OnFailure' && /^\d+$/.test(count))
  if (!policy || !counted || more.length > 0) throw refuse('--restart', text, 'no, on-failure[:COUNT] or always')
  return { policy, ...(count !== undefined && { retries: Number(count) }) }
}

/** `name=value`; without `=` the value is empty. */
export function pair(flag: string, text: string): [string, string] {
  const at = text.indexOf('=')
  const name = at < 0 ? text : text.slice(0, at)
  if (name === '') throw refuse(flag, text, 'NAME=VALUE')
  return [name, at < 0 ? '' : text.slice(at + 1)]
}

export interface Variable {
  name: string
  value: string
}

/** `NAME=VALUE`; `NAME` alone has the value that it has here, or is left out. */
export function variable(text: string, own: NodeJS.ProcessEnv): Variable[] {
  const at = text.indexOf('=')
  if (at === 0 || text === '') throw refuse('--env', text, 'NAME=VALUE or NAME')
  if (at > 0) return [{ name: text.slice(0, at), value: text.slice(at + 1) }]
  return own[text] === undefined ? [] : [{ name: text, value: own[text] }]
}

/** A file of variables as docker reads it: a line each, `#` begins a line of comment, quotes mean nothing. */
export function variablesOf(content: string, own: NodeJS.ProcessEnv): Variable[] {
  return content
    .split('\n')
    .map((line) => line.replace(/\r$/, '').trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => variable(line, own))
}

/** How many pods; 0 is none yet. */
export function count(flag: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw refuse(flag, text, 'a whole number')
}
