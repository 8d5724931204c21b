/** Whoever makes a pod wait for an object learns whether it is there: what is beyond the namespace takes the right to read it. */
import type { AdmissionRequest } from '../../api/admission.ts'
import { forbidden as forbiddenField } from '../../api/field-errors.ts'
import { REQUIRES } from '../../api/requires/names.ts'
import type { Requirement } from '../../api/requires/requirement.ts'
import type { FieldError } from '../../api/status.ts'
import { subjectAccessReviews } from '../../client/resources.ts'
import type { ExtensionContext } from '../extension.ts'
import { resourcesOf } from './kinds.ts'

/** The requirements that the user may not make, each with what is missing. Kinds that are not served yet are looked at when they are. */
export async function refuseStrangers(
  { user, namespace }: AdmissionRequest,
  requirements: readonly Requirement[],
  context: ExtensionContext,
): Promise<FieldError[]> {
  const errors: FieldError[] = []
  for (const { target, text } of requirements) {
    if (target.type === 'probe') continue
    const resource = await resourcesOf(context.client, context.clock).find(target.kind)
    if (!resource) continue
    const elsewhere = resource.namespaced ? target.namespace !== undefined && target.namespace !== namespace : true
    if (!elsewhere) continue
    const verb = target.type === 'object' ? 'get' : 'list'
    const { status } = await context.client.create(subjectAccessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: user.name,
        groups: [...user.groups],
        resourceAttributes: {
          ...{ verb, group: resource.group, version: resource.version, resource: resource.plural },
          ...(resource.namespaced && { namespace: target.namespace }),
          ...(target.type === 'object' && { name: target.name }),
        },
      },
    })
    if (status?.allowed) continue
    const where = resource.namespaced ? ` in namespace ${target.namespace}` : ''
    const why = `${text}: ${user.name} may not ${verb} ${resource.plural}${where}, so a pod of theirs cannot wait for it`
    errors.push(forbiddenField(`metadata.annotations[${REQUIRES}]`, why))
  }
  return errors
}
