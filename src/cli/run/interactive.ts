/**
 * What runs once and has this command's own input, output or terminal. skiff's node agent starts it only when it is attached,
 * so that no byte is missed; elsewhere its input waits for the attachment, and what it printed before is read from its log.
 */
import type { Pod } from '../../api/types.ts'
import { objectPath } from '../../client/paths.ts'
import { pods } from '../../client/resources.ts'
import { CommandError, type Io } from '../io.ts'
import { openProcess } from '../process-stream.ts'
import type { Place } from '../session.ts'
import { exitCodeOf, podStates, statusOf, type Watched } from './pod-progress.ts'

export interface Attached {
  name: string
  stdin: boolean
  tty: boolean
}

/** The exit code, or undefined when the user has left it running. */
export async function runAttached(
  watched: Watched,
  attached: Attached,
  containers: readonly string[],
  io: Io,
  place: Place,
): Promise<number | undefined> {
  const { pod, isHeld } = await attachable(watched, attached.name, io, place)
  const name = pod.metadata.name ?? ''
  const log = () => readLog(name, attached.name, io, place)
  if (statusOf(pod, attached.name)?.state?.terminated) io.stdout.write(await log())
  else if (await join(name, attached, isHeld ? undefined : log, io, place)) return undefined
  return exitCode(watched, containers, io, place)
}

/** Throws CommandError where there is no terminal to be had; call it before anything is made. */
export function refuseMissingTerminal(attached: Attached | undefined, io: Io): void {
  if (attached?.tty && !io.terminal) throw new CommandError('-t needs a terminal, and standard input is none: leave -t out')
}

async function attachable(watched: Watched, container: string, io: Io, place: Place): Promise<{ pod: Pod; isHeld: boolean }> {
  for await (const pod of podStates(watched, io, place)) {
    const { waiting, running, terminated } = statusOf(pod, container)?.state ?? {}
    const isHeld = waiting?.reason === 'WaitingForAttach'
    if (isHeld || running || terminated) return { pod, isHeld }
  }
  throw new CommandError(`${watched.handle} was not seen`)
}

/** True when the user has left. */
async function join(
  pod: string,
  { name, stdin, tty }: Attached,
  earlier: (() => Promise<Buffer>) | undefined,
  io: Io,
  place: Place,
): Promise<boolean> {
  let left = false
  const onDetach = () => {
    left = true
  }
  try {
    await openProcess({ pod, container: name, stdin, tty, onDetach, earlier }, place, io)
  } catch (error) {
    // It may have ended at once: then its log has everything.
    const now = await place.client.get(pods, pod, { namespace: place.namespace })
    if (!statusOf(now, name)?.state?.terminated) throw error
    if (earlier) io.stdout.write(await earlier())
  }
  return left
}

async function readLog(pod: string, container: string, io: Io, { client, namespace }: Place): Promise<Buffer> {
  const path = objectPath(pods, pod, namespace, 'log')
  const stream = await client.transport.stream({ method: 'GET', path, query: { container }, signal: io.signal })
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function exitCode(watched: Watched, containers: readonly string[], io: Io, place: Place): Promise<number> {
  for await (const pod of podStates(watched, io, place)) {
    const code = exitCodeOf(pod, containers)
    if (code !== undefined) return code
  }
  return 1
}
