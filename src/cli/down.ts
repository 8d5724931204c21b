/** `skiff down`: stops the cluster of a data directory. */
import type { DataDirectoryOptions, Host } from './host.ts'
import { type Io, writeLine } from './io.ts'

export async function runDown(options: DataDirectoryOptions, io: Io, host: Host): Promise<number> {
  const stopped = await host.down(options, io)
  writeLine(io.stdout, stopped ? 'stopped' : 'no cluster was running')
  return 0
}
