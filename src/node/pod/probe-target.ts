/** How probes and hooks reach one container: through the pod network, and by commands inside it. */
import { Writable } from 'node:stream'
import type { Container } from '../../api/types.ts'
import type { ProbeTarget } from '../probe/target.ts'
import type { PodState } from './pod-state.ts'

/** More output than this is read and dropped. */
const MAX_OUTPUT_BYTES = 10 * 1024

export function probeTarget(state: PodState, container: Container, containerId: string): ProbeTarget {
  const { runtime, hostAddress } = state.context
  return {
    container,
    address: state.sandboxes[0]?.ip || hostAddress,
    connect: (host, port, signal) => runtime.network.connect(host, port, signal),
    async exec(command, signal) {
      const chunks: Buffer[] = []
      let size = 0
      const sink = () =>
        new Writable({
          write(chunk: Buffer, _encoding, done) {
            if (size < MAX_OUTPUT_BYTES) chunks.push(chunk.subarray(0, MAX_OUTPUT_BYTES - size))
            size += chunk.length
            done()
          },
        })
      const options = { command, stdout: true, stderr: true }
      const process = await runtime.exec(containerId, options, { stdout: sink(), stderr: sink() }, signal)
      const { code, error } = await process.exit
      const output = Buffer.concat(chunks).toString()
      return { code, output, ...(error !== undefined && { error }) }
    },
  }
}
