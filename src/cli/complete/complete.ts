/** The answers for shell completion: what may stand at the last of the given words, one candidate a line. */
import type { Command } from 'commander'
import type { Host } from '../host.ts'
import { type Io, writeLine } from '../io.ts'
import { type GlobalOptions, withSession } from '../session.ts'
import { type Line, optionsOf, readLine } from './line.ts'

export async function runComplete(
  options: GlobalOptions & { words: readonly string[] },
  program: Command,
  io: Io,
  host: Pick<Host, 'images'>,
): Promise<number> {
  const { words, ...given } = options
  const line = readLine(program, words, given)
  const before = line.flag?.before ?? ''
  // A server that does not answer completes nothing: an error would land in the user's line.
  const found = await candidates(line, io, host).catch(() => [])
  for (const candidate of new Set(found))
    if (`${before}${candidate}`.startsWith(line.last)) writeLine(io.stdout, `${before}${candidate}`)
  return 0
}

async function candidates(line: Line, io: Io, host: Pick<Host, 'images'>): Promise<readonly string[]> {
  const { command, words, last, flag, isForeign } = line
  if (isForeign) return []
  if (flag) {
    const { valuesOf } = await import('./flag-values.ts')
    return valuesOf(line, flag, io)
  }
  if (last.startsWith('-')) {
    const flags = optionsOf(command).flatMap(({ long }) => long ?? [])
    return [...new Set([...flags, '--help'])].sort()
  }
  if (command.commands.length > 0 && words.length === 0) return commandNames(command)
  if (line.path === 'help') return commandNames(command.parent ?? command)
  const choices = command.registeredArguments[words.length]?.argChoices
  if (choices) return choices
  if (line.path === 'image rm' || line.path === 'image save')
    return (await host.images({}).list()).map(({ name }) => name).filter((name) => !words.includes(name))
  const { namesFor } = await import('./names.ts')
  return withSession(line.globals, io, (session) => namesFor(line, session))
}

function commandNames(command: Command): string[] {
  return command.commands.map((one) => one.name()).filter((name) => !name.startsWith('__'))
}
