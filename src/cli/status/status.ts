/** `skiff status NAME`: on one screen, whether something works and, if not, why. */
import type { KubeObject } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { inParallel } from '../names/metadata.ts'
import { NEEDS } from '../names/needs.ts'
import { type SelectOptions, selectObjects } from '../select-objects.ts'
import { withSession } from '../session.ts'
import { wantsColors } from '../wants-colors.ts'
import { examine } from './examine.ts'
import { Surveyor } from './facts.ts'
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
    const surveyor = new Surveyor(session, selected.length === 1)
    const reports = await inParallel(selected, async ({ resource, name, namespace, object: known }): Promise<Report> => {
      const object = known ?? (await session.client.get(resource as ResourceRef<KubeObject>, name, { namespace }))
      return examine(resource, object, surveyor, session, { signal: io.signal, nowMs })
    })
    if (options.output === undefined) {
      const blocks = reports.map((report) => reportLines(report, look).join('\n'))
      writeLine(io.stdout, blocks.join('\n\n'))
    }
    const works = reports.every(({ verdict }) => verdict === 'works')
    if (options.output === 'json') writeLine(io.stdout, JSON.stringify({ works, objects: reports }, null, 2))
    return works ? 0 : DOES_NOT_WORK
  })
}
