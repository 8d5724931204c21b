/** `skiff status NAME`: on one screen, whether something works and, if not, why. */
import type { KubeObject } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { NEEDS } from '../names/needs.ts'
import { type SelectOptions, selectObjects } from '../select-objects.ts'
import { withSession } from '../session.ts'
import { wantsColors } from '../wants-colors.ts'
import { examine } from './examine.ts'
import { reportLines } from './lines.ts'
import type { Report } from './report.ts'

export interface StatusOptions extends SelectOptions {
  /** `json`; absent: for a reader. */
  output?: string | undefined
}

/** The exit code that says: not all of it works. */
const DOES_NOT_WORK = 3

export async function runObjectStatus(options: StatusOptions, io: Io): Promise<number> {
  return withSession(options, io, async (session) => {
    const selected = await selectObjects({ ...options, kindAloneIsAll: true }, session, io, NEEDS.status)
    if (selected.length === 0) throw new CommandError(`No resources found in ${session.namespace} namespace.`)
    const nowMs = Date.now()
    const look = { nowMs, namespace: session.namespace, colors: wantsColors(io) }
    const reports: Report[] = []
    for (const { resource, name, namespace, object: known } of selected) {
      const object = known ?? (await session.client.get(resource as ResourceRef<KubeObject>, name, { namespace }))
      const report = await examine(resource, object, session, io.signal, nowMs)
      if (options.output === undefined) {
        if (reports.length > 0) writeLine(io.stdout, '')
        for (const line of reportLines(report, look)) writeLine(io.stdout, line)
      }
      reports.push(report)
    }
    const works = reports.every(({ verdict }) => verdict === 'works')
    if (options.output === 'json') writeLine(io.stdout, JSON.stringify({ works, objects: reports }, null, 2))
    return works ? 0 : DOES_NOT_WORK
  })
}
