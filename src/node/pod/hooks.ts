/** postStart and preStop: a command, an HTTP call, or a pause. */
import type { LifecycleHandler } from '../../api/types.ts'
import { type Clock, delay } from '../../base/clock.ts'
import { httpGet } from '../probe/http-get.ts'
import type { ProbeTarget } from '../probe/target.ts'

/** Throws an Error that says what failed; the signal's reason when it aborts. */
export async function runHook(handler: LifecycleHandler, target: ProbeTarget, clock: Clock, signal: AbortSignal): Promise<void> {
  if (handler.exec) {
    const { code, output, error } = await target.exec(handler.exec.command ?? [], signal)
    if (error !== undefined) throw new Error(error)
    if (code !== 0) throw new Error(`command '${(handler.exec.command ?? []).join(' ')}' exited with ${code}: ${output}`)
  } else if (handler.httpGet) {
    await httpGet(handler.httpGet, target, 'kube-lifecycle/1.36', signal)
  } else if (handler.sleep) {
    await delay(clock, handler.sleep.seconds * 1000, signal)
  } else {
    throw new Error(`hook ${Object.keys(handler)[0] ?? '(none)'} is not supported by this node`)
  }
}
