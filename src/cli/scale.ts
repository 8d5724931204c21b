/** `skiff scale`: sets the count through the scale subresource, so any kind that has one can be scaled. */
import type { KubeObject } from '../api/object.ts'
import { objectPath } from '../client/paths.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { NEEDS } from './names/needs.ts'
import { selectObjects } from './select-objects.ts'
import { type GlobalOptions, withSession } from './session.ts'
import { displayName } from './targets.ts'

export interface ScaleOptions extends GlobalOptions {
  words: readonly string[]
  replicas: number
  currentReplicas?: number
}

export async function runScale(options: ScaleOptions, io: Io): Promise<number> {
  return withSession(options, io, async (session) => {
    for (const { resource, name, namespace } of await selectObjects(options, session, io, NEEDS.scale)) {
      if (!resource.subresources.includes('scale')) throw new CommandError(`${resource.plural} cannot be scaled`)
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
      writeLine(io.stdout, `${displayName(resource, name)} scaled`)
    }
    return 0
  })
}
