/** `skiff history`: what a workload ran, who changed it, when and why. */
import { type History, historyOf } from '../rollout/index.ts'
import { findRolled, type RolledWords } from './find-rolled.ts'
import { type Io, writeLine } from './io.ts'
import { told } from './roll-output.ts'
import type { Session } from './session.ts'
import { formatTable } from './table.ts'

export interface HistoryFlags extends RolledWords {
  json: boolean
}

export async function runHistory(flags: HistoryFlags, io: Io, session: Session): Promise<number> {
  const { place, target } = await findRolled(flags, 'history', session, io)
  const entries = await historyOf({ client: place.client, namespace: place.namespace, target }).catch((error: unknown) => {
    throw told(error)
  })
  if (flags.json) for (const entry of entries) writeLine(io.stdout, JSON.stringify(entry))
  else io.stdout.write(formatTable(['', 'NAME', 'REPLICAS', 'PHASE', 'WHEN', 'WHO', 'IMAGES', 'WHY'], entries.map(rowOf)))
  return 0
}

function rowOf({ isCurrent, revision, name, replicas, phase, at, by, images, imageChange, note, command }: History): string[] {
  return [
    isCurrent ? '*' : '',
    revision === undefined ? name : `${name} (${revision})`,
    replicas === undefined ? '' : String(replicas),
    phase ?? '',
    at ?? '',
    by ?? '',
    imageChange ?? images.join(','),
    note ?? command ?? '',
  ]
}
