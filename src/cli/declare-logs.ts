/** Flags and help of `skiff logs`. */
import { Option } from 'commander'
import { withMatches } from './flag-groups.ts'
import { durationMs, integer, positiveInteger } from './flag-values.ts'
import type { Declaring } from './program.ts'

interface LogsFlags {
  follow?: true
  container?: string
  stage?: string
  previous?: true
  since?: number
  sinceTime?: string
  tail?: number
  limitBytes?: number
  timestamps?: true
  selector?: string
  allContainers?: true
  allMatches?: true
  prefix?: string | true
  color: 'auto' | 'always' | 'never'
  grep?: string
  ignoreCase?: true
  invertMatch?: true
  maxLogRequests?: number
}

const HELP = `
What has pods (a deployment, a job, a service, …) means all of them. One log is printed as it is; several are one stream, in the order
of time, each line after [pod/NAME/CONTAINER]. With -f, pods and runs that come later are followed too, and every end is said on
standard error; it ends when nothing can come any more: after the last container of a job, of pods given by name, of what was deleted.
--tail, --since and --limit-bytes are of each log, and --grep chooses among what is left. A log that cannot be read is said on standard
error and makes the exit code 1; the others are printed.

Examples:
  skiff logs web
  skiff logs -f web db --all-containers --since 10m
  skiff logs -l app=web -c 'app|proxy' --grep 'error|warn' -i
  skiff logs web --stage=pre-start
`

export function declareLogs({ program, io, globals, action }: Declaring): void {
  withMatches(program.command('logs').description('print the output of containers: of one, or of several in one stream'))
    .argument('[name...]', 'pods, what has pods, or kind/name')
    .option('-f, --follow', 'go on as it comes')
    .option('-c, --container <name>', 'which container: a name, or a regular expression for the whole of it')
    .option('-p, --previous', "the containers' previous run")
    .option('--since <duration>', 'not older than this', durationMs('--since'))
    .option('--since-time <time>', 'not older than this (RFC 3339)')
    .option('--tail <lines>', 'only the last lines; -1 for all (default: all, with --selector 10)', integer('--tail'))
    .option('--limit-bytes <bytes>', 'no more than this', positiveInteger('--limit-bytes'))
    .option('--timestamps', 'with the time of each line')
    .option('-l, --selector <selector>', 'of all pods with these labels')
    .option('--all-containers', 'of every container')
    .option('--prefix [when]', 'each line with its pod and container: on, off or auto, which is for several')
    .addOption(
      new Option('--color <when>', 'colours for prefixes and matches; auto is on a terminal, without NO_COLOR')
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .option('--grep <regex>', 'only lines that match')
    .option('-i, --ignore-case', 'capital and small letters match each other')
    .option('-v, --invert-match', 'only lines that do not match')
    .option('--stage <stage>', "pre-start: of the container's pre-start hook")
    .option('--max-log-requests <count>', 'logs that are read at once (default: 50)', positiveInteger('--max-log-requests'))
    .addHelpText('after', HELP)
    .action(
      action(async (names: string[], { prefix, ...flags }: LogsFlags) => {
        const { runLogs } = await import('./logs/logs.ts')
        return runLogs({ ...globals(), ...flags, ...prefixOf(prefix, names) }, io)
      }),
    )
}

const WHEN: Record<string, 'on' | 'off' | 'auto'> = { on: 'on', true: 'on', off: 'off', false: 'off', auto: 'auto' }

/** `--prefix` alone is on, as kubectl has it: what follows it is a name then. */
function prefixOf(given: string | true | undefined, names: string[]): { prefix: 'on' | 'off' | 'auto'; words: string[] } {
  if (given === undefined) return { prefix: 'auto', words: names }
  const prefix = given === true ? 'on' : WHEN[given]
  return prefix ? { prefix, words: names } : { prefix: 'on', words: [given as string, ...names] }
}
