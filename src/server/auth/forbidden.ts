/** The 403 of a request that the authorizer refused, worded as Kubernetes words it. */
import { custom, type StatusError } from '../../api/status.ts'
import type { Attributes } from './contract.ts'

/** `pods "x" is forbidden: User "u" cannot get resource "pods" in API group "" in the namespace "n"`, and so on. */
export function forbiddenRequest(attributes: Attributes, reason: string): StatusError {
  const { group = '', resource = '', name = '', path } = attributes
  const why = `${describe(attributes)}${reason ? `: ${reason}` : ''}`
  if (path !== undefined) return custom(403, 'Forbidden', `forbidden: ${why}`, {})
  const title = `${group ? `${resource}.${group}` : resource}${name ? ` ${JSON.stringify(name)}` : ''}`
  const details = { ...(name && { name }), ...(group && { group }), kind: resource }
  return custom(403, 'Forbidden', `${title} is forbidden: ${why}`, details)
}

function describe({ user, verb, group = '', resource = '', subresource, namespace, path }: Attributes): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`
  if (path !== undefined) return `${who} path ${JSON.stringify(path)}`
  const what = JSON.stringify(subresource ? `${resource}/${subresource}` : resource)
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope'
  return `${who} resource ${what} in API group ${JSON.stringify(group)} ${where}`
}
