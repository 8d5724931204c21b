/** `skiff set env --list`: the variables that templates have, and where those come from that are no plain values. */
import type { KubeObject } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import { type Io, writeLine } from '../io.ts'
import { handleOf } from '../names/candidate.ts'
import { NEEDS } from '../names/needs.ts'
import { templateAt, templatePathsOf } from '../pod-template.ts'
import { type SelectOptions, selectObjects } from '../select-objects.ts'
import { withSession } from '../session.ts'
import { envLines } from './env.ts'

export async function listEnv(options: SelectOptions & { container?: string | undefined }, io: Io): Promise<number> {
  return withSession(options, io, async (session) => {
    for (const { resource, name, namespace } of await selectObjects(options, session, io, NEEDS.set)) {
      const read = await session.client.get(resource as ResourceRef<KubeObject>, name, { namespace })
      const object = { ...read, kind: resource.kind }
      for (const path of templatePathsOf(object, resource.group))
        for (const line of envLines(templateAt(object, path)!, options.container, handleOf({ resource, name })))
          writeLine(io.stdout, line)
    }
    return 0
  })
}
