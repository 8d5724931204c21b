/** The user's own aliases: `aliases.yaml` in skiff's configuration directory. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CommandError } from '../io.ts'

/** Undefined when the environment names no place for a user's files. */
export function aliasFile(env: NodeJS.ProcessEnv): string | undefined {
  const base = env.XDG_CONFIG_HOME || (env.HOME && join(env.HOME, '.config'))
  return base ? join(base, 'skiff', 'aliases.yaml') : undefined
}

/** Empty when there is no file. Throws CommandError for one that is not understood. */
export async function readUserAliases(env: NodeJS.ProcessEnv): Promise<Map<string, string[]>> {
  const file = aliasFile(env)
  const text = file && readIfThere(file)
  if (!text) return new Map()
  const { load } = await import('js-yaml')
  let content: unknown
  try {
    content = load(text)
  } catch (cause) {
    throw new CommandError(`${file}: ${(cause as Error).message.split('\n')[0]}`, 1, { cause })
  }
  const entries = Object.entries((content as { aliases?: object } | undefined)?.aliases ?? {})
  for (const [name, members] of entries)
    if (!Array.isArray(members) || members.some((one) => typeof one !== 'string'))
      throw new CommandError(`${file}: aliases.${name} is no list of kinds`)
  return new Map(entries)
}

/** Sees to it that a reader never finds half a file. */
export async function writeUserAliases(env: NodeJS.ProcessEnv, aliases: ReadonlyMap<string, string[]>): Promise<void> {
  const file = aliasFile(env)
  if (!file) throw new CommandError('there is no place for your aliases: neither XDG_CONFIG_HOME nor HOME is set')
  const { dump } = await import('js-yaml')
  const text = dump({ aliases: Object.fromEntries([...aliases].sort(([a], [b]) => (a < b ? -1 : 1))) })
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CommandError(`${file} cannot be read: ${(cause as Error).message}`, 1, { cause })
  }
}
