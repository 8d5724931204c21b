/** `skiff up`: starts a cluster and says where it is. */
import type { Host, UpOptions } from './host.ts'
import { type Io, writeLine } from './io.ts'

export async function runUp(options: UpOptions, io: Io, host: Host): Promise<number> {
  return host.up(options, io, (report) => {
    for (const note of report.notes ?? []) writeLine(io.stderr, `note: ${note}`)
    writeLine(io.stdout, `ready in ${Math.round(report.readyMs)} ms`)
    writeLine(io.stdout, `server ${report.server}, context ${report.contextName} in ${report.kubeconfig}`)
    if (report.detachedPid !== undefined) writeLine(io.stdout, `runs as process ${report.detachedPid}; "skiff down" stops it`)
    else writeLine(io.stdout, 'Ctrl-C stops it')
  })
}
