/** `skiff scale`: sets the count through the scale subresource, so any kind that has one can be scaled. */
import type { KubeObject } from '../api/object.ts'
import { isConflict } from '../api/status.ts'
import type { ResourceRef } from '../client/client.ts'
import { objectPath } from '../client/paths.ts'
import { CommandError, type Io } from './io.ts'
import { NEEDS } from './names/needs.ts'
import { tellOutcome } from './outcome.ts'
import { parseOutput } from './print-objects.ts'
import { type Selected, type SelectOptions, selectObjects } from './select-objects.ts'
import { type Session, withSession } from './session.ts'
import { displayName } from './targets.ts'

/** How often a count that must be another one first is looked at. */
const MAX_ATTEMPTS = 10

export interface ScaleOptions extends SelectOptions {
  replicas: number
  currentReplicas?: number | undefined
  output?: string | undefined
}

export async function runScale(options: ScaleOptions, io: Io): Promise<number> {
  const format = parseOutput(options.output)
  return withSession(options, io, async (session) => {
    const selected = await selectObjects(options, session, io, NEEDS.scale)
    for (const { resource } of selected)
      if (!resource.subresources.includes('scale')) throw new CommandError(`${resource.plural} cannot be scaled`)
    for (const one of selected) {
      await scaleOne(one, options, session)
      const { resource, name, namespace } = one
      const object =
        format.form === 'table' ? undefined : await session.client.get(resource as ResourceRef<KubeObject>, name, { namespace })
      await tellOutcome(`${displayName(resource, name)} scaled`, object, resource, format, io)
    }
    return 0
  })
}

/** Where the count is to be another one first, somebody else's write to something else is no reason to give up: it is looked at again. */
async function scaleOne(one: Selected, options: ScaleOptions, session: Session): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await scaleNow(one, options, session)
    } catch (error) {
      if (!isConflict(error) || options.currentReplicas === undefined || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

async function scaleNow({ resource, name, namespace }: Selected, options: ScaleOptions, session: Session): Promise<void> {
  const path = objectPath(resource, name, namespace, 'scale')
  const { transport } = session.client
  let resourceVersion: string | undefined
  if (options.currentReplicas !== undefined) {
    const { object } = await transport.request({ method: 'GET', path })
    const replicas = (object as KubeObject & { spec?: { replicas?: number } }).spec?.replicas ?? 0
    if (replicas !== options.currentReplicas)
      throw new CommandError(`${displayName(resource, name)} asks for ${replicas} replicas, not ${options.currentReplicas}`)
    resourceVersion = object.metadata.resourceVersion
  }
  const body = { ...(resourceVersion && { metadata: { resourceVersion } }), spec: { replicas: options.replicas } }
  const headers = { 'content-type': 'application/merge-patch+json' }
  await transport.request({ method: 'PATCH', path, query: { fieldManager: 'skiff' }, headers, body })
}
