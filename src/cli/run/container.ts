/** A container from its flags. Decides everything, sends nothing; reads the files that `--env-file` names. */
import { readFileSync } from 'node:fs'
import type { Container } from '../../api/types.ts'
import { CommandError } from '../io.ts'
import * as value from './values.ts'
import type { Volumes } from './volumes.ts'
import type { ContainerWords, Given } from './words.ts'

export interface ContainerContext {
  readonly env: NodeJS.ProcessEnv
  readonly volumes: Volumes
}

/** `shared` are the flags of all containers: the container's own come after them, and win. Throws CommandError. */
export function makeContainer(
  name: string,
  { image, given, args }: ContainerWords,
  shared: readonly Given[],
  context: ContainerContext,
): Container {
  refuseTwice(given)
  refuseTwice(shared)
  const flags = new FlagValues([...shared, ...given])
  const security = {
    ...flags.map('user', value.user),
    ...(flags.has('privileged') && { privileged: true }),
    ...(flags.has('read-only') && { readOnlyRootFilesystem: true }),
    ...capabilities(flags),
  }
  const limits = { ...flags.as('cpu', 'cpu', value.cpu), ...flags.as('memory', 'memory', value.memory) }
  const ports = flags.all('port').map(value.port)
  const env = variables(flags, context.env)
  const mounts = [
    ...flags.all('volume').map((text) => context.volumes.volume(text)),
    ...flags.all('mount').map((text) => context.volumes.mount(text)),
  ]
  refuseSame(
    'mounted at',
    mounts.map(({ mountPath }) => mountPath),
  )
  return {
    name,
    image,
    ...flags.as('entrypoint', 'command', (text) => [text]),
    ...(args && args.length > 0 && { args: [...args] }),
    ...flags.as('workdir', 'workingDir', String),
    ...(ports.length > 0 && { ports }),
    ...(env.length > 0 && { env }),
    ...(Object.keys(limits).length > 0 && { resources: { limits } }),
    ...(mounts.length > 0 && { volumeMounts: mounts }),
    ...flags.as('pull', 'imagePullPolicy', value.pull),
    ...(Object.keys(security).length > 0 && { securityContext: security }),
    ...(flags.has('interactive') && { stdin: true }),
    ...(flags.has('tty') && { tty: true }),
  }
}

/** The values of flags by name; of one that is there twice the later. */
export class FlagValues {
  readonly #given: readonly Given[]
  constructor(given: readonly Given[]) {
    this.#given = given
  }
  has(name: string): boolean {
    return this.#given.some(({ definition }) => definition.name === name)
  }
  all(name: string): string[] {
    return this.#given.filter(({ definition }) => definition.name === name).map((one) => one.value)
  }
  last(name: string): string | undefined {
    return this.all(name).at(-1)
  }
  map<T extends object>(name: string, read: (text: string) => T): T | undefined {
    const text = this.last(name)
    return text === undefined ? undefined : read(text)
  }
  /** `{ field: value }`, or nothing. */
  as<K extends string, T>(name: string, field: K, read: (text: string) => T): { [key in K]?: T } | undefined {
    return this.map(name, (text) => ({ [field]: read(text) }) as { [key in K]?: T })
  }
}

/** Throws when a flag that can be given once is given twice. */
export function refuseTwice(given: readonly Given[]): void {
  const seen = new Map<string, Given>()
  for (const one of given) {
    const before = seen.get(one.definition.name)
    if (before && !one.definition.many && one.definition.value !== undefined)
      throw new CommandError(`${before.text} and ${one.text}: --${one.definition.name} can be given once`)
    seen.set(one.definition.name, one)
  }
}

function capabilities(flags: FlagValues): object | undefined {
  const [add, drop] = [flags.all('cap-add'), flags.all('cap-drop')]
  if (add.length === 0 && drop.length === 0) return undefined
  return { capabilities: { ...(add.length > 0 && { add }), ...(drop.length > 0 && { drop }) } }
}

/** Files first, so that what is said outright wins. */
function variables(flags: FlagValues, own: NodeJS.ProcessEnv): value.Variable[] {
  const fromFiles = flags.all('env-file').flatMap((file) => value.variablesOf(readFile(file), own))
  const said = flags.all('env').flatMap((text) => value.variable(text, own))
  return [...new Map([...fromFiles, ...said].map((one) => [one.name, one])).values()]
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CommandError(`--env-file ${file} cannot be read: ${(cause as Error).message}`, 1, { cause })
  }
}

function refuseSame(what: string, all: readonly string[]): void {
  const twice = all.find((one, index) => all.indexOf(one) !== index)
  if (twice !== undefined) throw new CommandError(`two volumes are ${what} ${twice}`)
}
