/** `skiff describe`: an object's facts as an indented list, any kind of object, and the events about it. */
import type { KubeObject } from '../api/object.ts'
import type { ResourceRef } from '../client/client.ts'
import { events as eventResource } from '../client/resources.ts'
import { age } from './age.ts'
import { describeLines } from './describe-lines.ts'
import { type Io, writeLine } from './io.ts'
import { NEEDS } from './names/needs.ts'
import { type Selected, type SelectOptions, selectObjects } from './select-objects.ts'
import { type Session, withSession } from './session.ts'
import { formatTable } from './table.ts'

export async function runDescribe(options: SelectOptions, io: Io): Promise<number> {
  return withSession(options, io, async (session) => {
    const selected = await selectObjects({ ...options, kindAloneIsAll: true }, session, io, NEEDS.describe)
    if (selected.length === 0) writeLine(io.stderr, `No resources found in ${session.namespace} namespace.`)
    for (const [index, one] of selected.entries()) {
      if (index > 0) io.stdout.write('\n\n')
      await describeOne(one, session, io)
    }
    return 0
  })
}

async function describeOne({ resource, name, namespace, object: known }: Selected, session: Session, io: Io): Promise<void> {
  const read = () => session.client.get(resource as ResourceRef<KubeObject>, name, { namespace })
  const object = known ?? (await read())
  for (const line of describeLines({ ...object, kind: resource.kind })) writeLine(io.stdout, line)
  io.stdout.write(await eventTable(object, session))
}

async function eventTable(object: KubeObject, session: Session): Promise<string> {
  const { uid, namespace = 'default' } = object.metadata
  const { items } = await session.client.list(eventResource, { namespace, fieldSelector: `involvedObject.uid=${uid}` })
  if (items.length === 0) return 'Events:  <none>\n'
  const now = Date.now()
  const rows = [...items]
    .sort(
      (a, b) =>
        lastSeen(a).localeCompare(lastSeen(b)) || Number(a.metadata?.resourceVersion) - Number(b.metadata?.resourceVersion),
    )
    .map((event) => {
      const from = event.source?.component || event.reportingComponent || ''
      const count = event.series?.count ?? event.count ?? 1
      const times = count > 1 ? ` (x${count})` : ''
      return [
        '',
        event.type ?? '',
        event.reason ?? '',
        `${age(lastSeen(event), now)}${times}`,
        from,
        (event.message ?? '').trim(),
      ]
    })
  return `Events:\n${formatTable(['', 'Type', 'Reason', 'Age', 'From', 'Message'], rows)}`
}

interface Seen {
  lastTimestamp?: string | null | undefined
  eventTime?: string | null | undefined
  series?: { lastObservedTime?: string | undefined } | undefined
  metadata?: { creationTimestamp?: string | undefined } | undefined
}

function lastSeen(event: Seen): string {
  return event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp ?? ''
}
