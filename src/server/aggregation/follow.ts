/** Sees to it that APIServices are served: the part that is always there. The rest is loaded with the first that names a Service. */
import type { APIService } from '../../api/types.ts'
import type { KeyPair } from '../auth/certificates.ts'
import type { Core } from '../core.ts'
import { APISERVICES } from './outside.ts'

/** `identity` makes the certificate that this server shows to those outside. */
export function followApiServices(core: Core, identity: () => KeyPair): void {
  const { reader, closing, log } = core
  const isOutside = (object: object) => (object as APIService).spec?.service !== undefined
  let loading: Promise<void> | undefined
  const load = () => {
    loading ??= import('./api-services.ts').then(({ ApiServices }) => new ApiServices(core, identity()).begin())
    loading.catch((error: unknown) => log.error('API services cannot be served', { error }))
  }
  const stop = reader.watch(APISERVICES.group, APISERVICES.plural, (object) => {
    if (!loading && isOutside(object)) load()
  })
  closing.addEventListener('abort', stop, { once: true })
  if (reader.list(APISERVICES.group, APISERVICES.plural).some(isOutside)) load()
}
