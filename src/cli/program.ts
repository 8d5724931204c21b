/**
 * The command line: names, flags and help of every command, and the one place where failures become a line and an exit code.
 * What a command does is loaded when it runs.
 */
import { Command, CommanderError } from 'commander'
import { StatusError } from '../api/status.ts'
import { declareAlias } from './declare-alias.ts'
import { declareClusterCommands } from './declare-cluster.ts'
import { declareDraftCommands } from './declare-drafts.ts'
import { declareExtend } from './declare-extend.ts'
import { declareObjectCommands } from './declare-objects.ts'
import { declarePodCommands } from './declare-pods.ts'
import { declareRolloutCommands } from './declare-rollouts.ts'
import { declareRun } from './declare-run.ts'
import { declareSeeing } from './declare-seeing.ts'
import { declareSet } from './declare-set.ts'
import { declareWorkloadCommands } from './declare-workloads.ts'
import type { Host } from './host.ts'
import { CommandError, INTERRUPTED, type Io, writeLine } from './io.ts'
import type { GlobalOptions } from './session.ts'

/** What a declaration hands an action to: runs it and keeps the exit code it answers. */
export interface Declaring {
  readonly program: Command
  readonly io: Io
  readonly host: Host
  /** The flags of every command, as given on this command line. */
  globals(): GlobalOptions
  /** Wraps an action whose promise is an exit code. */
  action<A extends unknown[]>(run: (...args: A) => Promise<number>): (...args: A) => Promise<void>
}

interface Program {
  readonly command: Command
  /** The exit code of the command that ran. */
  exitCode(): number
}

function createProgram(io: Io, host: Host): Program {
  let exitCode = 0
  const program = new Command(io.env.SKIFF_AS_PLUGIN ? 'kubectl skiff' : 'skiff')
    .description('Kubernetes in one process, and an imperative command line for any Kubernetes.')
    .version(host.version, '--version', 'print the version of skiff')
    .option('--kubeconfig <file>', 'the kubeconfig file to use')
    .option('--context <name>', 'the context of the kubeconfig to use')
    .option('-n, --namespace <name>', "the namespace (default: the context's)")
    .exitOverride()
    .showHelpAfterError('(add --help for what is possible)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .helpCommand('help [command]', 'show help of a command')
    .addHelpText('after', '\nExample:\n  skiff up --detach && skiff create deployment web --image web:v1 && skiff get pods -w\n')
  const declaring: Declaring = {
    program,
    io,
    host,
    globals: () => program.opts<GlobalOptions>(),
    action:
      (run) =>
      async (...args) => {
        exitCode = await run(...args)
      },
  }
  declareClusterCommands(declaring)
  declareObjectCommands(declaring)
  declareSeeing(declaring)
  declarePodCommands(declaring)
  declareRolloutCommands(declaring)
  declareWorkloadCommands(declaring)
  declareSet(declaring)
  declareRun(declaring)
  declareAlias(declaring)
  declareExtend(declaring)
  declareDraftCommands(declaring)
  return { command: program, exitCode: () => exitCode }
}

/** Runs one command line (without the program's own name). Answers the exit code; nothing is thrown but a broken invariant. */
export async function main(argv: readonly string[], io: Io, host: Host): Promise<number> {
  const program = createProgram(io, host)
  try {
    await program.command.parseAsync([...argv], { from: 'user' })
    return program.exitCode()
  } catch (error) {
    return exitCodeFor(error, io)
  }
}

function exitCodeFor(error: unknown, io: Io): number {
  // Its message has been printed already.
  if (error instanceof CommanderError) return error.exitCode
  if (io.signal.aborted) return INTERRUPTED
  const message = messageFor(error)
  if (message === undefined) throw error
  writeLine(io.stderr, `error: ${message}`)
  return error instanceof CommandError ? error.exitCode : 1
}

/** One line for a failure that the user can act on; undefined for one that is our own mistake. */
function messageFor(error: unknown): string | undefined {
  if (error instanceof StatusError) {
    const { reason, message } = error
    const foreseen = reason === '' || reason === 'Unknown' || reason === 'Invalid'
    return oneLine(foreseen ? message : `${message} (${reason})`)
  }
  if (!(error instanceof Error)) return undefined
  if (error instanceof SyntaxError)
    return `the server's answer is not understood (is it a Kubernetes?): ${oneLine(error.message)}`
  // Of the system's errors (files, sockets, certificates) the message is enough; a TypeError with a code is a mistake of ours.
  const fromSystem = 'code' in error && !(error instanceof TypeError)
  const told = fromSystem || error instanceof CommandError || ['KubeconfigError', 'Unreachable'].includes(error.name)
  return told ? oneLine(error.message) : undefined
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, '; ')
}
