/** Admission that objects of the cluster configure: the part that is always there. What it takes is loaded with the first of them. */
import type { AdmissionPlugin, AdmissionRequest } from '../admission/contract.ts'
import { Configured } from './configured.ts'
import type { Environment } from './environment.ts'
import type { Webhook } from './webhook.ts'

const GROUP = 'admissionregistration.k8s.io'
/** Questions that policies are not asked about, as in Kubernetes. */
const REVIEWS = new Set(['authentication.k8s.io', 'authorization.k8s.io'])

/** In the order they run. */
export function dynamicAdmission(environment: Environment): AdmissionPlugin[] {
  return [
    ...[policies(environment, true), webhooks(environment, true)],
    ...[policies(environment, false), webhooks(environment, false)],
  ]
}

function policies(environment: Environment, mutating: boolean): AdmissionPlugin {
  const kind = `${mutating ? 'mutating' : 'validating'}admissionpolic`
  const follow = (plural: string) =>
    new Configured(environment.reader, { group: GROUP, plural }, environment.closing, (object) => object)
  const found = follow(`${kind}ies`)
  const bindings = follow(`${kind}ybindings`)
  const handles = ({ definition: { group }, operation }: AdmissionRequest) =>
    !bindings.isEmpty && !found.isEmpty && group !== GROUP && !REVIEWS.has(group) && !(mutating && operation === 'DELETE')
  if (mutating) {
    return {
      name: 'MutatingAdmissionPolicy',
      handles,
      async mutate(request) {
        const { mutateByPolicies } = await import('./mutating-policies.ts')
        mutateByPolicies(environment, found.all(), bindings.all(), request)
      },
    }
  }
  return {
    name: 'ValidatingAdmissionPolicy',
    handles,
    async validate(request) {
      const { validateByPolicies } = await import('./validating-policies.ts')
      validateByPolicies(environment, found.all(), bindings.all(), request)
    },
  }
}

function webhooks(environment: Environment, mutating: boolean): AdmissionPlugin {
  const plural = `${mutating ? 'mutating' : 'validating'}webhookconfigurations`
  const configured = new Configured(environment.reader, { group: GROUP, plural }, environment.closing, (object) => object)
  let known: readonly unknown[] | undefined
  let compiled: readonly Webhook[] = []
  const all = async () => {
    const { webhooksOf } = await import('./webhook.ts')
    const objects = configured.all()
    if (objects !== known) compiled = objects.flatMap((object) => webhooksOf(object, mutating))
    known = objects
    return compiled
  }
  const handles = ({ definition }: AdmissionRequest) => !configured.isEmpty && definition.group !== GROUP
  if (mutating) {
    return {
      name: 'MutatingAdmissionWebhook',
      mutatesDeletes: true,
      handles,
      async mutate(request) {
        const { mutate } = await import('./mutate.ts')
        await mutate(environment, await all(), request)
      },
    }
  }
  return {
    name: 'ValidatingAdmissionWebhook',
    handles,
    async validate(request) {
      const { validate } = await import('./validate.ts')
      await validate(environment, await all(), request)
    },
  }
}
