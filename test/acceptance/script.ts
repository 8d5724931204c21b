/**
 * Acceptance scripts: what is typed, what is printed, how it ends. The form:
 *
 *     # A comment, of any number of lines.
 *     $ skiff get web --no-headers
 *     web   3/3   *   (glob)
 *     $ skiff get wbe
 *     2> error: nothing in namespace $NS is named "wbe"; near: deployment/web
 *     [1]
 *
 * `$ ` begins a command for sh, `> ` carries it on; `~ ` begins one that is repeated until it does as expected. Then come the lines of
 * its standard output, those of standard error after `2> `, and in brackets the exit code when it is not 0. A line `...` stands for
 * any lines, ` (glob)` at the end of one makes `*` any characters and blanks any blanks, and ` (re)` makes it a regular expression. `$NS`, `$IMAGE` and other
 * variables of the run are put in where they stand in what is expected. Empty lines separate, and are not compared.
 */

export interface Step {
  /** In the file, from 1. */
  line: number
  command: string
  repeat: boolean
  stdout: readonly string[]
  stderr: readonly string[]
  code: number
}

export interface Script {
  /** Programs that must be there, as `# requires: kubectl` says. */
  requires: readonly string[]
  steps: readonly Step[]
}

export interface Outcome {
  code: number
  out: string
  err: string
}

/** Throws for output that no command stands before. */
export function parseScript(text: string): Script {
  const steps: (Step & { stdout: string[]; stderr: string[] })[] = []
  const requires: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const step = steps.at(-1)
    if (line.startsWith('#')) {
      const named = /^# requires: (.+)$/.exec(line)?.[1]
      if (named) requires.push(...named.split(/[ ,]+/))
    } else if (/^[$~] /.test(line)) {
      const command = line.slice(2)
      steps.push({ line: index + 1, command, repeat: line.startsWith('~'), stdout: [], stderr: [], code: 0 })
    } else if (line.trim() !== '') {
      if (!step) throw new Error(`line ${index + 1}: no command stands before ${JSON.stringify(line)}`)
      const code = /^\[(\d+)\]$/.exec(line)?.[1]
      if (line.startsWith('> ')) step.command += `\n${line.slice(2)}`
      else if (line.startsWith('2> ')) step.stderr.push(line.slice(3))
      else if (code !== undefined) step.code = Number(code)
      else step.stdout.push(line)
    }
  }
  return { requires, steps }
}

/** What differs, in lines for a person; undefined when all is as expected. */
export function difference(step: Step, outcome: Outcome, variables: Readonly<Record<string, string>>): string | undefined {
  const expected = (lines: readonly string[]) => lines.map((line) => substituted(line, variables))
  const [stdout, stderr] = [expected(step.stdout), expected(step.stderr)]
  const [out, err] = [linesOf(outcome.out), linesOf(outcome.err)]
  if (outcome.code === step.code && matches(stdout, out) && matches(stderr, err)) return undefined
  const block = (title: string, lines: readonly string[]) => [title, ...lines.map((line) => `  ${line}`)]
  return [
    `line ${step.line}: $ ${step.command}`,
    ...block(`expected [${step.code}]`, [...stdout, ...stderr.map((line) => `2> ${line}`)]),
    ...block(`got [${outcome.code}]`, [...out, ...err.map((line) => `2> ${line}`)]),
  ].join('\n')
}

function linesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trimEnd()]))
}

function substituted(line: string, variables: Readonly<Record<string, string>>): string {
  return line.replaceAll(/\$([A-Z][A-Z0-9_]*)/g, (whole, name: string) => variables[name] ?? whole)
}

function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const [first, ...rest] = expected
  if (first === undefined) return actual.length === 0
  if (first === '...') return actual.some((_, skipped) => matches(rest, actual.slice(skipped))) || matches(rest, [])
  return actual.length > 0 && lineMatches(first, actual[0]!) && matches(rest, actual.slice(1))
}

function lineMatches(expected: string, actual: string): boolean {
  const glob = /^(.*?) +\(glob\)$/.exec(expected)?.[1]
  if (glob !== undefined) return new RegExp(`^${glob.split('*').map(quoted).join('.*').replaceAll(/ +/g, ' +')}$`).test(actual)
  const pattern = /^(.*?) +\(re\)$/.exec(expected)?.[1]
  return pattern === undefined ? expected.trimEnd() === actual : new RegExp(`^(?:${pattern})$`).test(actual)
}

function quoted(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
