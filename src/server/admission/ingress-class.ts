/** An Ingress without a class gets the default one. */
import type { AdmissionPlugin, ObjectReader } from './contract.ts'
import { isAbout, refused } from './refusal.ts'

const GROUP = 'networking.k8s.io'
const LEGACY_ANNOTATION = 'kubernetes.io/ingress.class'
const IS_DEFAULT = 'ingressclass.kubernetes.io/is-default-class'

export function defaultIngressClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, GROUP, 'ingresses'),
    mutate(request) {
      const { object } = request
      if (!object?.spec || object.spec.ingressClassName !== undefined) return
      if (object.metadata.annotations?.[LEGACY_ANNOTATION] !== undefined) return
      const defaults = reader.list(GROUP, 'ingressclasses').filter((each) => each.metadata.annotations?.[IS_DEFAULT] === 'true')
      if (defaults.length > 1) throw refused(request, `${defaults.length} default IngressClasses were found, only 1 allowed`)
      if (defaults[0]) object.spec.ingressClassName = defaults[0].metadata.name
    },
  }
}
