/** `skiff get drafts`: what waits to be run, what holds it, and for how long it stays. */
import { DRAFT_LABEL, draftContainers, draftExpiryMs, pendingOf } from '../../api/drafts.ts'
import type { KubeObject } from '../../api/object.ts'
import type { PodTemplate } from '../../api/types.ts'
import { podTemplates } from '../../client/resources.ts'
import { age } from '../age.ts'
import { type Io, writeLine } from '../io.ts'
import { parseOutput, printObjects } from '../print-objects.ts'
import { type GlobalOptions, type Place, withSession } from '../session.ts'
import { formatTable } from '../table.ts'
import { draftName, findDraft, isExpired } from './find.ts'

export interface ListDraftsOptions extends GlobalOptions {
  names: readonly string[]
  output?: string | undefined
  allNamespaces?: boolean | undefined
  noHeaders?: boolean | undefined
}

export async function listDrafts(options: ListDraftsOptions, io: Io): Promise<number> {
  const format = parseOutput(options.output)
  return withSession(options, io, async (session) => {
    const drafts = await read(options, session)
    if (format.form !== 'table') {
      const single = options.names.length === 1
      await printObjects(drafts.map(withKind), { format, single, showManagedFields: false }, [], io.stdout)
    } else if (drafts.length === 0)
      writeLine(io.stderr, `No drafts found${options.allNamespaces ? '' : ` in ${session.namespace} namespace`}.`)
    else io.stdout.write(table(drafts, options))
    return 0
  })
}

async function read({ names, allNamespaces }: ListDraftsOptions, place: Place): Promise<PodTemplate[]> {
  if (names.length > 0) return Promise.all(names.map((name) => findDraft(draftName(name), place)))
  const namespace = allNamespaces ? undefined : place.namespace
  const list = await place.client.list(podTemplates, { namespace, labelSelector: `${DRAFT_LABEL}=true` })
  return list.items.filter((draft) => !isExpired(draft))
}

function withKind(draft: PodTemplate): KubeObject {
  return { ...draft, apiVersion: 'v1', kind: 'PodTemplate' } as KubeObject
}

function table(drafts: readonly PodTemplate[], { allNamespaces, noHeaders }: ListDraftsOptions): string {
  const now = Date.now()
  const rows = drafts.map((draft) => {
    const { name = '', namespace = '', creationTimestamp = '' } = draft.metadata
    const images = draftContainers(draft).map(({ name: container, image }) => `${container}=${image}`)
    const expiry = draftExpiryMs(draft)
    return [
      ...(allNamespaces ? [namespace] : []),
      ...[name, images.join(',') || '<none>', pendingOf(draft).join(',') || '<none>'],
      // How long it still stays is as long ago as now would be then.
      expiry === undefined ? 'never' : age(new Date(now).toISOString(), expiry),
      age(creationTimestamp, now),
    ]
  })
  const headings = [...(allNamespaces ? ['NAMESPACE'] : []), 'NAME', 'CONTAINERS', 'PENDING', 'EXPIRES IN', 'AGE']
  return formatTable(noHeaders ? undefined : headings, rows)
}
