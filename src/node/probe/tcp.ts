/** tcpSocket probes: a connection that comes about is a success. */
import type { TCPSocketAction } from '../../api/types.ts'
import { dialError, failed, hostPort, type ProbeResult, type ProbeTarget, portNumber, success } from './target.ts'

export async function tcpProbe(action: TCPSocketAction, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const host = action.host || target.address
  const port = portNumber(target.container, action.port)
  try {
    const socket = await target.connect(host, port, signal)
    socket.destroy()
    return success('')
  } catch (error) {
    return failed(signal.aborted ? `dial tcp ${hostPort(host, port)}: i/o timeout` : dialError(error, host, port))
  }
}
