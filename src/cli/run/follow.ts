/** What runs once and has no terminal: its output from the start to the end, then its exit code. */
import { once } from 'node:events'
import type { Pod } from '../../api/types.ts'
import { objectPath } from '../../client/paths.ts'
import { pods } from '../../client/resources.ts'
import { type Io, writeLine } from '../io.ts'
import { prefixLines } from '../log-lines.ts'
import type { Place } from '../session.ts'
import { exitCodeOf, podStates, statusOf, type Watched } from './pod-progress.ts'

export async function followToEnd(watched: Watched, containers: readonly string[], io: Io, place: Place): Promise<number> {
  const printing = new Map<string, Promise<void>>()
  const prefix = (name: string) => (containers.length > 1 ? `[${name}] ` : '')
  for await (const pod of podStates(watched, io, place)) {
    for (const name of containers) {
      const status = statusOf(pod, name)
      const key = `${pod.metadata.uid} ${name} ${status?.restartCount}`
      if (printing.has(key) || !(status?.state?.running || status?.state?.terminated)) continue
      printing.set(key, printLog(pod, name, prefix(name), io, place))
    }
    const code = exitCodeOf(pod, containers)
    if (code === undefined) continue
    await Promise.all(printing.values())
    return code
  }
  return 1
}

async function printLog(pod: Pod, container: string, prefix: string, io: Io, { client, namespace }: Place): Promise<void> {
  const path = objectPath(pods, pod.metadata.name ?? '', namespace, 'log')
  try {
    const log = await client.transport.stream({ method: 'GET', path, query: { container, follow: 'true' }, signal: io.signal })
    for await (const chunk of prefix ? prefixLines(log, prefix) : log) if (!io.stdout.write(chunk)) await once(io.stdout, 'drain')
  } catch (error) {
    if (io.signal.aborted) return
    // The exit code is still to be had.
    writeLine(io.stderr, `no output of ${container}: ${(error as Error).message}`)
  }
}
