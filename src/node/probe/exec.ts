/** exec probes: the command's exit code decides. */
import type { ExecAction } from '../../api/types.ts'
import { failed, type ProbeResult, type ProbeTarget, success } from './target.ts'

export async function execProbe(
  action: ExecAction,
  target: ProbeTarget,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const command = action.command ?? []
  try {
    const { code, output, error } = await target.exec(command, signal)
    if (signal.aborted) return timedOut(command, timeoutSeconds)
    if (error !== undefined) return { outcome: 'Error', message: error }
    return code === 0 ? success(output) : failed(output)
  } catch (error) {
    if (signal.aborted) return timedOut(command, timeoutSeconds)
    return { outcome: 'Error', message: (error as Error).message }
  }
}

function timedOut(command: readonly string[], timeoutSeconds: number): ProbeResult {
  return failed(`command timed out: "${command.join(' ')}" timed out after ${timeoutSeconds}s`)
}
