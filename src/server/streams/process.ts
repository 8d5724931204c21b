/** Runs exec and attach: joins the caller's channels with a process on a node, and says at the end how it ended. */
import type { Readable, Writable } from 'node:stream'
import type { KubeObject } from '../../api/object.ts'
import { badRequest, type Status, StatusError } from '../../api/status.ts'
import type { AttachOptions, ExecOptions, ProcessExit, ProcessHandle, ProcessIo, TerminalSize } from '../../api/streams.ts'
import { chooseContainer, type PodTarget } from './pod-target.ts'

/** The caller's ends, in whatever protocol they came. */
export interface ProcessChannels {
  readonly stdin?: Readable | undefined
  readonly stdout?: Writable | undefined
  readonly stderr?: Writable | undefined
  readonly resize?: AsyncIterable<TerminalSize> | undefined
  /** Tells the caller how the process ended, and ends the session once everything has been sent. */
  finish(status: Status): Promise<void>
}

/** Throws a 400 when nothing is to be streamed, or no command is given. */
export function readProcessOptions(given: KubeObject, kind: 'exec' | 'attach', target: PodTarget): ExecOptions {
  const options = {
    stdin: given.stdin === true,
    stdout: given.stdout === true,
    stderr: given.stderr === true,
    tty: given.tty === true,
    command: (given.command ?? []) as string[],
  }
  if (!options.stdin && !options.stdout && !options.stderr)
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  if (kind === 'exec' && options.command.length === 0) throw badRequest('you must specify at least one command for the container')
  // A terminal has one output.
  if (options.tty && options.stderr) options.stderr = false
  const { phase } = target.pod.status ?? {}
  if (kind === 'exec' && (phase === 'Succeeded' || phase === 'Failed')) {
    throw badRequest(`cannot exec into a container in a completed pod; current phase is ${phase}`)
  }
  return { ...options, container: chooseContainer(target.pod, given.container) }
}

/** Never rejects: what goes wrong is in the status the caller gets. */
export async function runProcess(
  kind: 'exec' | 'attach',
  target: PodTarget,
  options: ExecOptions,
  channels: ProcessChannels,
  signal: AbortSignal,
): Promise<void> {
  const { stdin, stdout, stderr, resize } = channels
  const io: ProcessIo = {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    ...(resize && { resize }),
  }
  let status: Status
  try {
    const handle = await start(kind, target, options, io, signal)
    const exit = await handle.exit
    // How the container's own process ended is told by the pod's status; joining it has gone well.
    status = statusOf(kind === 'attach' ? { ...exit, code: 0 } : exit)
  } catch (error) {
    status = error instanceof StatusError ? error.status : failure(error instanceof Error ? error.message : String(error))
  }
  await channels.finish(status)
}

function start(
  kind: 'exec' | 'attach',
  target: PodTarget,
  options: ExecOptions,
  io: ProcessIo,
  signal: AbortSignal,
): Promise<ProcessHandle> {
  if (kind === 'exec') return target.node.exec(target.ref, options, io, signal)
  const { command: _, ...attach } = options
  return target.node.attach(target.ref, attach satisfies AttachOptions, io, signal)
}

function statusOf({ code, error }: ProcessExit): Status {
  if (error !== undefined) return failure(error)
  if (code === 0) return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

function failure(message: string): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `error executing command in container: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  }
}
