/** Groups of flags that several commands have, each worded once. */
import type { Command } from 'commander'
import { collect } from './flag-values.ts'

export const NAMES_HELP = 'names, kinds and names, or kind/name'
export const DATA_DIR_HELP = 'where its data lies (default: $SKIFF_DATA_DIR, else ~/.local/share/skiff)'
export const OUTPUT_HELP = 'json, yaml, name, wide, jsonpath=TEMPLATE or custom-columns=HEADER:PATH,…'
export const GET_OUTPUT_HELP =
  'json, yaml, name, wide, neat (what was written, without what the cluster added), jsonpath=TEMPLATE, jsonpath-as-json=PATH, custom-columns=HEADER:PATH,…, or jsonpath-file=FILE, custom-columns-file=FILE'
export const OBJECT_OUTPUT_HELP = 'json, yaml, name, jsonpath=TEMPLATE or custom-columns=HEADER:PATH,…'

export function withSelectors(command: Command): Command {
  return command
    .option('-l, --selector <selector>', 'only objects with these labels')
    .option('--field-selector <selector>', 'only objects with these fields')
    .option('-A, --all-namespaces', 'in all namespaces')
}

/** For commands that take bare names. */
export function withMatches(command: Command): Command {
  return command.option('--all-matches', 'everything that a name means, when it means several objects')
}

export function withFiles(command: Command): Command {
  return command
    .option('-f, --filename <file>', 'a file, a directory or - for standard input (again for more)', collect)
    .option('-R, --recursive', 'directories with all that is below them')
}

/** What the words of a command may stand for: all the ways to choose objects. */
export function withChoice(command: Command): Command {
  return withFiles(withMatches(withSelectors(command))).option('--all', 'every object of the kind')
}

/** The flags of `withChoice`, as commander hands them over. */
export interface ChoiceFlags {
  filename?: string[]
  recursive?: true
  selector?: string
  fieldSelector?: string
  allNamespaces?: true
  allMatches?: true
  all?: true
}

/** As the commands take them. */
export function choiceOf({ filename = [], recursive, selector, fieldSelector, allNamespaces, allMatches, all }: ChoiceFlags) {
  return { files: filename, recursive, selector, fieldSelector, allNamespaces, allMatches, all }
}
