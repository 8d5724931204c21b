/** The answers for shell completion: what may stand at the last of the given words, one candidate a line. */
import type { Command } from 'commander'
import { BUILT_IN } from './aliases/alias.ts'
import { readUserAliases } from './aliases/user-file.ts'
import { type Io, writeLine } from './io.ts'
import { namesWithPrefix } from './names/lookup.ts'
import { listMetadata } from './names/metadata.ts'
import { NEEDS, type Needs } from './names/needs.ts'
import { type GlobalOptions, type Session, withSession } from './session.ts'

/** Commands whose words are names, by what they do with them; those called as their needs are not listed. */
const NEEDS_OF: Record<string, Needs> = {
  ...NEEDS,
  attach: NEEDS.exec,
  'port-forward': NEEDS.exec,
  rollback: NEEDS.roll,
  promote: NEEDS.roll,
  abort: NEEDS.roll,
  resume: NEEDS.roll,
  history: NEEDS.roll,
}
/** These take kinds too. */
const KIND_COMMANDS = new Set(['get', 'describe', 'delete', 'scale', 'wait', 'stop', 'restart', 'set', 'tree', 'autoscale'])
/** Names beyond this help nobody who types. */
const MAX_NAMES = 500

export async function runComplete(
  options: GlobalOptions & { words: readonly string[] },
  program: Command,
  io: Io,
): Promise<number> {
  const typed = options.words.slice(0, -1)
  const last = options.words.at(-1) ?? ''
  let command = program
  const rest: string[] = []
  for (const word of typed) {
    const next = rest.length === 0 ? command.commands.find((one) => one.name() === word) : undefined
    if (next) command = next
    else if (!word.startsWith('-')) rest.push(word)
  }
  for (const candidate of await candidates(command, program, rest, last, options, io)) {
    if (candidate.startsWith(last)) writeLine(io.stdout, candidate)
  }
  return 0
}

async function candidates(
  command: Command,
  program: Command,
  rest: readonly string[],
  last: string,
  options: GlobalOptions,
  io: Io,
): Promise<string[]> {
  if (last.startsWith('-')) {
    const flags = [...command.options, ...program.options].flatMap(({ long }) => long ?? [])
    return [...new Set([...flags, '--help'])].sort()
  }
  if (command.commands.length > 0 && rest.length === 0) {
    return command.commands.map((one) => one.name()).filter((name) => !name.startsWith('__'))
  }
  const parent = command.parent && command.parent !== program ? command.parent : command
  const needs = NEEDS_OF[parent.name()]
  if (!needs) return []
  // A server that does not answer completes nothing: an error would land in the user's line.
  return withSession(options, io, (session) => fromCluster(parent.name(), needs, rest, last, session)).catch(() => [])
}

async function fromCluster(
  name: string,
  needs: Needs,
  rest: readonly string[],
  last: string,
  session: Session,
): Promise<string[]> {
  const slash = last.indexOf('/')
  if (slash > 0) {
    const kind = last.slice(0, slash)
    return (await namesOfKind(kind, session)).map((one) => `${kind}/${one}`)
  }
  const [first] = rest
  if (first !== undefined && !first.includes('/') && (await session.discovery.find(first))) return namesOfKind(first, session)
  const [kinds, found] = await Promise.all([
    KIND_COMMANDS.has(name) && first === undefined ? kindWords(session) : [],
    namesWithPrefix(last, needs, MAX_NAMES, session),
  ])
  return [...new Set([...found, ...kinds])].sort()
}

async function kindWords({ discovery, env }: Session): Promise<string[]> {
  const [resources, aliases] = await Promise.all([discovery.resources(), readUserAliases(env)])
  return [...resources.map(({ plural }) => plural), ...aliases.keys(), ...BUILT_IN.map(({ name }) => name)]
}

async function namesOfKind(kind: string, session: Session): Promise<string[]> {
  const resource = await session.discovery.find(kind)
  if (!resource) return []
  const { found } = await listMetadata(resource, session.namespace, session, { limit: String(MAX_NAMES) })
  return found.map(({ name }) => name)
}
