/** Sees to it that custom resources are served: the part that is always there. The rest is loaded with the first definition. */

import { CRDS } from '../../api/custom/resource.ts'
import type { Core } from '../core.ts'
import type { CustomResources } from './custom-resources.ts'

/** Resolves when all that is defined already is served. Ends with the server. */
export async function followCustomResources(core: Core): Promise<void> {
  const { reader, closing, log } = core
  let loading: Promise<CustomResources> | undefined
  let resources: CustomResources | undefined
  const load = () => {
    loading ??= import('./custom-resources.ts').then((module) => {
      resources = new module.CustomResources(core)
      resources.begin()
      return resources
    })
    return loading
  }
  const stop = reader.watch(CRDS.group, CRDS.plural, (crd, change) => {
    if (resources) resources.changed(crd, change)
    else load().catch((error: unknown) => log.error('custom resources cannot be served', { error }))
  })
  closing.addEventListener('abort', stop, { once: true })
  if (reader.list(CRDS.group, CRDS.plural).length > 0) await load()
}
