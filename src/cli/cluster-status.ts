/** `skiff status`: whether a cluster runs, and where. */
import type { Host } from './host.ts'
import { type Io, writeLine } from './io.ts'

const NOT_RUNNING = 3

export async function runStatus(
  options: { dataDir?: string | undefined; output?: string | undefined },
  io: Io,
  host: Host,
): Promise<number> {
  const status = await host.status({ dataDir: options.dataDir }, io)
  const { running, dataDir } = status
  if (options.output === 'json') writeLine(io.stdout, JSON.stringify({ ...status, running: running ?? null }, undefined, 2))
  else if (!running) writeLine(io.stdout, `no cluster runs on ${dataDir}; "skiff up" starts one`)
  else {
    writeLine(io.stdout, `running   process ${running.pid}, since ${running.startedAt}`)
    writeLine(io.stdout, `server    ${running.server}`)
    writeLine(io.stdout, `context   ${running.contextName}`)
    writeLine(io.stdout, `version   ${running.version}`)
    writeLine(io.stdout, `data      ${dataDir}`)
  }
  return running ? 0 : NOT_RUNNING
}
