/**
 * Reads the words after `run`, where order matters: flags before the first image are of all containers, later ones of the image
 * before them; `--` begins a container's arguments, `---` the next group. Pure; a flag without an owner is an error.
 */
import { CommandError } from '../io.ts'
import type { FlagDefinition } from './flags.ts'

export interface Given {
  readonly definition: FlagDefinition
  /** As it was written, for messages. */
  readonly text: string
  /** Empty for a switch. */
  readonly value: string
}

export interface ContainerWords {
  readonly image: string
  readonly given: Given[]
  /** Images joined by `+` share what follows them. */
  readonly joined: boolean
  args?: readonly string[]
}

export interface Words {
  /** What stands alone, before the first `--`. */
  readonly names: string[]
  /** Of the whole. */
  readonly all: Given[]
  /** Of containers, but before the first image. */
  readonly shared: Given[]
  readonly containers: ContainerWords[]
  readonly help: boolean
}

const SEPARATOR = '---'

/** Throws CommandError: what is written, and why nobody can own it. */
export function readWords(words: readonly string[], known: readonly FlagDefinition[]): Words {
  const result = { names: [], all: [], shared: [], containers: [], help: false } as Words & { help: boolean }
  for (const [index, group] of groupsOf(words).entries()) readGroup(group, index, known, result)
  return result
}

/** Split at `---`; what comes after a `--` in a group are its arguments. */
function groupsOf(words: readonly string[]): { flags: string[]; args?: string[] }[] {
  const groups: { flags: string[]; args?: string[] }[] = [{ flags: [] }]
  for (const word of words) {
    const group = groups.at(-1)!
    if (word === SEPARATOR) groups.push({ flags: [] })
    else if (group.args) group.args.push(word)
    else if (word === '--') group.args = []
    else group.flags.push(word)
  }
  return groups
}

function readGroup(
  { flags, args }: { flags: string[]; args?: string[] },
  index: number,
  known: readonly FlagDefinition[],
  result: Words & { help: boolean },
): void {
  let mine: ContainerWords[] = []
  const before = result.containers.length
  const rest = [...flags]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--help' || word === '-h') result.help = true
    else if (!word.startsWith('-') || word === '-') plainWord(word, index, mine, result)
    else
      for (const given of readFlag(word, rest, known)) {
        if (given.definition.name === 'image') {
          mine = containersOf(given)
          result.containers.push(...mine)
        } else place(given, index, mine, result)
      }
  }
  if (index > 0 && result.containers.length === before && !result.help)
    throw new CommandError(`the group after --- number ${index} has no --image`)
  if (args && args.length > 0) giveArguments(args, mine)
}

function plainWord(word: string, index: number, mine: readonly ContainerWords[], { names }: Words): void {
  if (index > 0 || (mine.length > 0 && names.length > 0))
    throw new CommandError(`${JSON.stringify(word)} is neither a flag nor a name; a container's arguments come after --`)
  names.push(word)
}

function containersOf({ value, text }: Given): ContainerWords[] {
  const images = value.split('+')
  if (images.includes('')) throw new CommandError(`${text}: an image is missing`)
  return images.map((image) => ({ image, given: [], joined: images.length > 1 }))
}

function place(given: Given, index: number, mine: readonly ContainerWords[], { all, shared }: Words): void {
  const { owner } = given.definition
  if (owner === 'all') all.push(given)
  else if (mine.length === 0) {
    if (index > 0) throw new CommandError(`${given.text} has no container: it stands before the --image of its group`)
    shared.push(given)
  } else if (mine.length > 1 && owner === 'container')
    throw new CommandError(
      `${given.text} has no container: ${mine.map(({ image }) => image).join('+')} are several; part them by ---`,
    )
  else for (const container of mine) container.given.push(given)
}

function giveArguments(args: readonly string[], mine: readonly ContainerWords[]): void {
  const last = mine.at(-1)
  if (!last)
    throw new CommandError(`the arguments ${JSON.stringify(args.join(' '))} have no container: --image is missing before --`)
  if (last.joined)
    throw new CommandError(
      `the arguments after -- have no container: ${mine.map(({ image }) => image).join('+')} are several; part them by ---`,
    )
  last.args = args
}

/** One word may be several switches (`-it`); a value is taken from the word itself or the next one. */
function readFlag(word: string, rest: string[], known: readonly FlagDefinition[]): Given[] {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=')
    const name = word.slice(2, equals < 0 ? undefined : equals)
    const definition = known.find((one) => one.name === name)
    if (!definition) throw new CommandError(`unknown flag --${name}${nearest(name, known)}`)
    return [withValue(definition, `--${name}`, equals < 0 ? undefined : word.slice(equals + 1), rest)]
  }
  const found: Given[] = []
  for (let letters = word.slice(1); letters !== ''; ) {
    const letter = letters[0]!
    const definition = known.find(({ short }) => short === letter)
    if (!definition) throw new CommandError(`unknown flag -${letter}${word.length > 2 ? ` in ${word}` : ''}`)
    const attached = letters.slice(1).replace(/^=/, '')
    const takes = definition.value !== undefined
    found.push(withValue(definition, `-${letter}`, takes && attached !== '' ? attached : undefined, rest))
    letters = takes ? '' : attached
  }
  return found
}

function withValue(definition: FlagDefinition, text: string, attached: string | undefined, rest: string[]): Given {
  const { value, optional } = definition
  if (value === undefined) {
    if (attached !== undefined) throw new CommandError(`${text} takes no value`)
    return { definition, text, value: '' }
  }
  const taken = attached ?? (optional && !optional.test(rest[0] ?? '') ? '' : rest.shift())
  if (taken === undefined || (attached === undefined && taken.startsWith('--')))
    throw new CommandError(`${text} needs a value: ${value}`)
  return { definition, text: taken === '' ? text : `${text} ${taken}`, value: taken }
}

function nearest(name: string, known: readonly FlagDefinition[]): string {
  const near = known.find((one) => one.name.startsWith(name) || name.startsWith(one.name))
  return near ? `; did you mean --${near.name}?` : ' (add --help for what is possible)'
}
