/**
 * Sees to it that APIServices are what they say: the part that is always there. What looks after servers outside is loaded with the
 * first APIService that names a Service, what looks after this server's own groups with the first that comes or goes.
 */
import { CRDS } from '../../api/custom/resource.ts'
import type { APIService } from '../../api/types.ts'
import type { KeyPair } from '../auth/certificates.ts'
import type { InProcessDoor } from '../contract.ts'
import type { Core } from '../core.ts'
import { isKnownLocal } from './local-service.ts'
import type { LocalServices } from './local-services.ts'
import { APISERVICES } from './outside.ts'

/** `identity` makes the certificate that this server shows to those outside; `door` is where it writes. */
export function followApiServices(core: Core, identity: () => KeyPair, door: InProcessDoor): void {
  const { reader, closing, log } = core
  const failed = (error: unknown) => log.error('API services cannot be served', { error })
  const isOutside = (object: object) => (object as APIService).spec?.service !== undefined
  let loading: Promise<void> | undefined
  const load = () => {
    loading ??= import('./api-services.ts').then(({ ApiServices }) => new ApiServices(core, identity(), door).begin())
    loading.catch(failed)
  }
  let local: LocalServices | undefined
  let loadingLocal: Promise<void> | undefined
  const withLocal = (work: (local: LocalServices) => void) => {
    if (local) return work(local)
    loadingLocal ??= import('./local-services.ts').then((module) => {
      local = new module.LocalServices(core, door)
      // It looks at all there is: what comes meanwhile needs no further word.
      local.begin()
    })
    loadingLocal.catch(failed)
  }
  const stops = [
    reader.watch(APISERVICES.group, APISERVICES.plural, (object, change) => {
      if (isOutside(object)) {
        if (!loading) load()
      } else if (change === 'deleted' || !isKnownLocal(object as APIService) || local)
        withLocal((services) => services.serviceChanged(object.metadata.name ?? ''))
    }),
    reader.watch(CRDS.group, CRDS.plural, (definition) => withLocal((services) => services.definitionChanged(definition))),
  ]
  for (const stop of stops) closing.addEventListener('abort', stop, { once: true })
  if (reader.list(APISERVICES.group, APISERVICES.plural).some(isOutside)) load()
  if (reader.list(CRDS.group, CRDS.plural).length > 0) withLocal(() => undefined)
}
