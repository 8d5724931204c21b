/** `skiff exec` and `skiff attach`: a process in a container, its streams and its exit code. */
import type { Pod } from '../api/types.ts'
import { chooseContainer, findPods } from './find-pods.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { openProcess } from './process-stream.ts'
import { type GlobalOptions, withSession } from './session.ts'

export interface ExecOptions extends GlobalOptions {
  pod: string
  /** Absent: attach to the container's own process. */
  command?: readonly string[]
  container?: string
  stdin?: boolean
  tty?: boolean
}

export async function runExec(options: ExecOptions, io: Io): Promise<number> {
  if (options.command && options.command.length === 0) throw new CommandError('a command is needed after --')
  const tty = options.tty === true && io.terminal !== undefined
  if (options.tty && !tty) writeLine(io.stderr, 'Unable to use a TTY - input is not a terminal or the right kind of file')
  return withSession(options, io, async (session) => {
    const pod = (await findPods(options.pod, session)).pods[0]!
    refuseEnded(pod)
    const container = chooseContainer(pod, options.container)
    if (container.note) writeLine(io.stderr, container.note)
    return openProcess(
      { pod: pod.metadata?.name ?? '', container: container.name, command: options.command, stdin: options.stdin === true, tty },
      session,
      io,
    )
  })
}

function refuseEnded({ metadata, status }: Pod): void {
  const phase = status?.phase
  if (phase === 'Succeeded' || phase === 'Failed')
    throw new CommandError(`pod ${metadata?.name} has ended (${phase}): no process can be joined or run in it`)
}
