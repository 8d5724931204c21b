/**
 * Who may see what: a path shows its creator nothing that the creator may not read. Asked when a pod or a template gains a path,
 * of the API server itself, so it holds on any cluster. A controller that copies a template needs no right of its own: its author
 * has been asked about.
 */
import type { AdmissionRequest, UserInfo } from '../../api/admission.ts'
import { sourceTexts } from '../../api/downward/annotations.ts'
import type { OwnerKind } from '../../api/downward/check.ts'
import type { FieldSource } from '../../api/downward/source.ts'
import { controllerOf, type Related } from '../../api/downward/value.ts'
import { invalid as invalidField } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { forbidden, invalid, type StatusError } from '../../api/status.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import type { OwnerResources } from '../../client/related.ts'
import { allowedNodeFields, isAllowed, NODE_FIELDS } from './node-fields.ts'
import { templateOf } from './templates.ts'

export interface Rights {
  readonly client: Client
  readonly related: Related
  readonly owners: OwnerResources
}

/** A source that is new, and where it stands. */
export interface NewSource {
  readonly source: FieldSource
  readonly at: string
}

/** Throws a 403 that names the path, the right and the user. */
export async function checkRights(
  request: AdmissionRequest,
  added: readonly NewSource[],
  owner: OwnerKind | undefined,
  rights: Rights,
): Promise<void> {
  const nodePaths = added.filter(({ source }) => source.origin.from === 'node')
  if (nodePaths.length > 0) await checkNodePaths(request, nodePaths, rights.client)
  await checkOwnerKinds(request, added, rights.owners)
  if (request.user.groups.includes('system:masters')) return
  const asked = new Map<string, boolean>()
  for (const { source, at } of added) {
    for (const needed of await rightsFor(source, request.namespace, owner, rights.owners)) {
      const text = describe(needed)
      const granted = asked.get(text) ?? (await mayRead(request.user, needed, rights.client))
      asked.set(text, granted)
      if (granted || (await isCopied(request, source, rights.related))) continue
      const why = `needs the right to ${text}, which ${JSON.stringify(request.user.name)} does not have`
      throw refusal(request, `${at}: ${JSON.stringify(source.text)} ${why}`)
    }
  }
}

/** A kind that nobody serves owns nothing, and who may read it cannot be asked. */
async function checkOwnerKinds(request: AdmissionRequest, added: readonly NewSource[], owners: OwnerResources): Promise<void> {
  for (const { source, at } of added) {
    const { origin, text } = source
    if (origin.from !== 'owner' || origin.kind === undefined || (await owners.named(origin.kind)).length > 0) continue
    const { definition, name, object } = request
    const why = `at character ${text.indexOf('/') + 2}: there is no kind ${JSON.stringify(origin.kind)} on this server`
    throw invalid(definition, name || object?.metadata.name || '', [invalidField(at, text, why)])
  }
}

async function checkNodePaths(request: AdmissionRequest, paths: readonly NewSource[], client: Client): Promise<void> {
  const allowed = await allowedNodeFields(client)
  for (const { source, at } of paths) {
    if (isAllowed(source, allowed)) continue
    const { namespace, name, key } = NODE_FIELDS
    const list = `the list ${JSON.stringify(key)} of the ConfigMap ${namespace}/${name}`
    throw refusal(
      request,
      `${at}: ${JSON.stringify(source.text)} is not among the fields of a node that pods may see; allowed are ${allowed.join(', ')}; ${list} can say otherwise`,
    )
  }
}

interface ReadRight {
  group: string
  version: string
  plural: string
  namespace: string
  name: string
}

/** None where nothing is read that the pod would not know by itself. */
async function rightsFor(
  { origin }: FieldSource,
  namespace: string,
  owner: OwnerKind | undefined,
  owners: OwnerResources,
): Promise<ReadRight[]> {
  const core = { group: '', version: 'v1' }
  switch (origin.from) {
    case 'pod':
    case 'host':
      return []
    case 'node':
      return [{ ...core, plural: 'nodes', namespace: '', name: '' }]
    case 'namespace':
      // The namespace of such a question is the namespace itself, so that a role within it is enough.
      return [{ ...core, plural: 'namespaces', namespace, name: namespace }]
    case 'service':
      return [{ ...core, plural: 'services', namespace, name: origin.name }]
    case 'owner': {
      if (origin.kind) return (await owners.named(origin.kind)).map((resource) => rightTo(resource, namespace))
      const resource = owner && (await owners.of(owner))
      return resource ? [rightTo(resource, namespace)] : []
    }
  }
}

function rightTo({ group, version, plural, namespaced }: ResourceRef, namespace: string): ReadRight {
  return { group, version, plural, namespace: namespaced ? namespace : '', name: '' }
}

function describe({ group, plural, namespace, name }: ReadRight): string {
  const what = `get ${group ? `${plural}.${group}` : plural}${name ? ` ${JSON.stringify(name)}` : ''}`
  return namespace && plural !== 'namespaces' ? `${what} in the namespace ${JSON.stringify(namespace)}` : what
}

async function mayRead({ name, uid, groups, extra }: UserInfo, right: ReadRight, client: Client): Promise<boolean> {
  const { plural: resource, group, version, namespace, name: object } = right
  const answer = await client.transport.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        ...{ user: name, groups: [...groups], ...(uid && { uid }), ...(extra && { extra }) },
        resourceAttributes: {
          ...{ verb: 'get', group, version, resource },
          ...(namespace && { namespace }),
          ...(object && { name: object }),
        },
      },
    },
  })
  return answer.object.status?.allowed === true
}

/** Whether a controller of the cluster's own makes this from its owner's template, which has the same path. */
async function isCopied(request: AdmissionRequest, source: FieldSource, related: Related): Promise<boolean> {
  const { user, object } = request
  const own = user.name === 'system:kube-controller-manager' || user.name.startsWith('system:serviceaccount:kube-system:')
  const reference = controllerOf(object)
  if (!own || !reference) return false
  const owner: KubeObject | undefined = await related.owner(reference, request.namespace)
  const template = owner && templateOf(owner)
  return template !== undefined && [...sourceTexts(template.metadata?.annotations).values()].includes(source.text)
}

export function refusal({ definition, name, object }: AdmissionRequest, why: string): StatusError {
  const named = name || object?.metadata.name || object?.metadata.generateName || ''
  return forbidden({ group: definition.group, plural: definition.plural }, named, why)
}
