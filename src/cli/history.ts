/** `skiff history`: what a workload ran, who changed it, when and why; and of one revision, its template. */
import { type History, historyOf, revisionOf } from '../rollout/index.ts'
import { findRolled, type RolledWords } from './find-rolled.ts'
import { type Io, writeLine } from './io.ts'
import { toYaml } from './print-objects.ts'
import { told } from './roll-output.ts'
import type { Session } from './session.ts'
import { shortDigests } from './short-digests.ts'
import { formatTable } from './table.ts'

export interface HistoryFlags extends RolledWords {
  json: boolean
  /** Only this one, with its template. */
  revision?: number | undefined
}

const HEADERS = ['', 'REVISION', 'NAME', 'REPLICAS', 'PHASE', 'WHEN', 'WHO', 'IMAGES', 'WHY']

export async function runHistory(flags: HistoryFlags, io: Io, session: Session): Promise<number> {
  const { json, revision } = flags
  const { place, target } = await findRolled(flags, 'history', session, io)
  const options = { client: place.client, namespace: place.namespace, target }
  try {
    if (revision !== undefined) {
      const one = await revisionOf({ ...options, revision })
      if (json) writeLine(io.stdout, JSON.stringify(one))
      else io.stdout.write(await toYaml(one))
      return 0
    }
    const entries = await historyOf(options)
    if (json) for (const entry of entries) writeLine(io.stdout, JSON.stringify(entry))
    else io.stdout.write(formatTable(HEADERS, entries.map(rowOf)))
    return 0
  } catch (error) {
    throw told(error)
  }
}

function rowOf({ isCurrent, revision, name, replicas, phase, at, by, images, imageChange, note, command }: History): string[] {
  return [
    isCurrent ? '*' : '',
    String(revision),
    name,
    replicas === undefined ? '' : String(replicas),
    phase ?? '',
    at ?? '',
    by ?? '',
    shortDigests(imageChange ?? images.join(',')),
    note ?? shortDigests(command ?? ''),
  ]
}
