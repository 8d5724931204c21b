/** The condition that sums up what a pod's containers say by sd_notify. Pure. */
import type { NotifyState } from '../notify/state.ts'
import { lastOf } from '../plan/containers.ts'
import { notifyOf } from '../plan/stages.ts'
import type { PlanInput } from '../plan/types.ts'
import type { Finding } from './conditions.ts'

/** `undefined` for a pod none of whose containers notifies. True when all that do have said that they are ready. */
export function notifyFinding(input: PlanInput): Finding | undefined {
  const said: { word: string; line: string | undefined }[] = []
  for (const name of Object.keys(input.memory.containers)) {
    const last = lastOf(input, name)
    const notify = last && notifyOf(input, last)
    if (!notify) continue
    const errno = notify.errno ? ` (errno ${notify.errno})` : ''
    const words = `${notify.status ?? ''}${errno}`.trim()
    said.push({ word: wordOf(notify), line: words === '' ? undefined : `${name}: ${words}` })
  }
  if (said.length === 0) return undefined
  const notReady = said.find(({ word }) => word !== 'Ready' && word !== 'Reloading')
  const message = said.flatMap(({ line }) => line ?? []).join('; ')
  const reason = (notReady ?? said.find(({ word }) => word === 'Reloading') ?? said[0])?.word
  return { status: notReady ? 'False' : 'True', ...(reason && { reason }), ...(message && { message }) }
}

function wordOf(notify: NotifyState): string {
  if (notify.dead) return 'WatchdogTimeout'
  if (notify.stopping) return 'Stopping'
  if (notify.readyAtMs === undefined) return 'Waiting'
  return notify.reloading ? 'Reloading' : 'Ready'
}
