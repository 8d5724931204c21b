/** A command line under way, as far as completion must understand it: which command, which names, which flag waits for its value. Pure. */
import type { Command, Option } from 'commander'
import type { GlobalOptions } from '../session.ts'

export interface Line {
  readonly command: Command
  /** `create pod`, `get`: as it is typed. */
  readonly path: string
  /** What was typed that is neither a command nor a flag nor a flag's value. */
  readonly words: readonly string[]
  /** What is being typed. */
  readonly last: string
  /** The flag whose value that is, and what of the word stands before the value (`--output=`). */
  readonly flag?: { readonly option: Option; readonly before: string }
  /** Behind `--`: the words of another program. */
  readonly isForeign: boolean
  readonly globals: GlobalOptions
}

const GLOBALS: Record<string, keyof GlobalOptions> = { kubeconfig: 'kubeconfig', context: 'context', namespace: 'namespace' }

/** `typed` ends with the word under the cursor, which may be empty. */
export function readLine(program: Command, typed: readonly string[], given: GlobalOptions): Line {
  // Some shells take `--flag=value` for three words.
  const all = typed.filter((word, index) => word !== '=' || index === typed.length - 1)
  const last = all.at(-1) === '=' ? '' : (all.at(-1) ?? '')
  const state = { command: program, path: [] as string[], words: [] as string[], waiting: undefined as Option | undefined }
  const globals: GlobalOptions = { ...given }
  const note = (option: Option, value: string) => {
    const name = GLOBALS[option.attributeName()]
    if (name) globals[name] = value
  }
  let isForeign = false
  for (const word of all.slice(0, -1)) {
    if (isForeign) continue
    if (state.waiting) {
      note(state.waiting, word)
      state.waiting = undefined
    } else if (word === '--') isForeign = true
    else if (word.startsWith('-') && word.length > 1) {
      const { option, value } = readFlag(word, state.command)
      if (option?.required && value === undefined) state.waiting = option
      else if (option && value !== undefined) note(option, value)
    } else takeWord(word, state)
  }
  const { command, path, words, waiting } = state
  const attached = waiting || isForeign ? undefined : readAttached(last, command)
  const flag = waiting && !isForeign ? { option: waiting, before: '' } : attached
  return { command, path: path.join(' '), words, last, ...(flag && { flag }), isForeign, globals }
}

function takeWord(word: string, state: { command: Command; path: string[]; words: string[] }): void {
  const next = state.words.length === 0 ? state.command.commands.find((one) => one.name() === word) : undefined
  if (!next) state.words.push(word)
  else {
    state.command = next
    state.path.push(word)
  }
}

function readFlag(word: string, command: Command): { option?: Option; value?: string } {
  const equals = word.indexOf('=')
  const name = word.startsWith('--') ? word.slice(0, equals < 0 ? undefined : equals) : word.slice(0, 2)
  const option = optionsOf(command).find(({ long, short }) => long === name || short === name)
  if (!option) return {}
  const attached = word.startsWith('--') ? (equals < 0 ? '' : word.slice(equals + 1)) : word.slice(2)
  const isGiven = word.startsWith('--') ? equals >= 0 : attached !== ''
  return { option, ...(isGiven && { value: attached.replace(/^=/, '') }) }
}

function readAttached(last: string, command: Command): Line['flag'] {
  const equals = last.indexOf('=')
  if (!last.startsWith('--') || equals < 0) return undefined
  const { option } = readFlag(last, command)
  return option && { option, before: last.slice(0, equals + 1) }
}

/** Of the command and of all above it. */
export function optionsOf(command: Command): Option[] {
  return command.parent ? [...command.options, ...optionsOf(command.parent)] : [...command.options]
}
