/** The answers for shell completion: what may stand at the last of the given words, one candidate a line. */
import type { Command } from 'commander'
import type { KubeObject } from '../api/object.ts'
import type { ResourceRef } from '../client/client.ts'
import { type Io, writeLine } from './io.ts'
import { type GlobalOptions, type Session, withSession } from './session.ts'

/** Commands whose arguments are kinds and names, and those that take pods. */
const KIND_COMMANDS = new Set(['get', 'describe', 'delete', 'scale', 'wait'])
const POD_COMMANDS = new Set(['logs', 'exec', 'attach', 'port-forward', 'env'])
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
  const kinds = KIND_COMMANDS.has(command.name())
  if (!kinds && !POD_COMMANDS.has(command.name())) return []
  // A server that does not answer completes nothing: an error would land in the user's line.
  return withSession(options, io, (session) => (kinds ? kindsOrNames(rest, session) : names('pods', session))).catch(() => [])
}

async function kindsOrNames([kind]: readonly string[], session: Session): Promise<string[]> {
  if (kind !== undefined) return names(kind, session)
  return [...new Set((await session.discovery.resources()).map(({ plural }) => plural))].sort()
}

async function names(kind: string, session: Session): Promise<string[]> {
  const resource = await session.discovery.find(kind)
  if (!resource) return []
  const list = await session.client.list(resource as ResourceRef<KubeObject>, { namespace: session.namespace, limit: MAX_NAMES })
  return list.items.map(({ metadata }) => metadata.name ?? '')
}
