/** Runs one probe once, within its timeout. */
import type { Probe } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import { execProbe } from './exec.ts'
import { grpcProbe } from './grpc.ts'
import { httpProbe } from './http-get.ts'
import type { ProbeResult, ProbeTarget } from './target.ts'
import { tcpProbe } from './tcp.ts'

export async function runProbe(probe: Probe, target: ProbeTarget, clock: Clock, signal: AbortSignal): Promise<ProbeResult> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1
  const timeout = new AbortController()
  const cancel = clock.after(timeoutSeconds * 1000, () => timeout.abort(), { unref: true })
  try {
    return await once(probe, target, timeoutSeconds, AbortSignal.any([signal, timeout.signal]))
  } catch (error) {
    return { outcome: 'Error', message: (error as Error).message }
  } finally {
    cancel()
  }
}

function once(probe: Probe, target: ProbeTarget, timeoutSeconds: number, signal: AbortSignal): Promise<ProbeResult> {
  if (probe.exec) return execProbe(probe.exec, target, timeoutSeconds, signal)
  if (probe.httpGet) return httpProbe(probe.httpGet, target, signal)
  if (probe.tcpSocket) return tcpProbe(probe.tcpSocket, target, signal)
  if (probe.grpc) return grpcProbe(probe.grpc, target, timeoutSeconds, signal)
  return Promise.reject(new Error(`missing probe handler for ${target.container.name}`))
}
