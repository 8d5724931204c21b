/** What a pod requires, and how each of it is now, by asking the server: the command line's look at what the controller follows. */
import type { KubeObject } from '../../api/object.ts'
import { verdictOf } from '../../api/requires/condition.ts'
import { describe, type Requirement } from '../../api/requires/requirement.ts'
import { isNotFound, StatusError } from '../../api/status.ts'
import type { Pod } from '../../api/types.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { endpointSlices } from '../../client/resources.ts'
import type { Session } from '../session.ts'
import { requirementsOf } from './pod-reason.ts'

export interface Unmet {
  requirement: Requirement
  why: string
  /** What it is about, as far as that exists and does not hold. */
  objects: readonly { resource: DiscoveredResource; object: KubeObject }[]
}

/** Those that do not hold. What cannot be judged from here is as the pod's condition says. */
export async function unmetOf(pod: Pod, requirements: readonly Requirement[], session: Session): Promise<Unmet[]> {
  const judged = requirements.map(async (requirement): Promise<Unmet | undefined> => {
    const told = toldOf(pod, requirement)
    try {
      return await judge(pod, requirement, told, session)
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 403) throw error
      return { requirement, why: told ?? error.message, objects: [] }
    }
  })
  return (await Promise.all(judged)).filter((one) => one !== undefined)
}

async function judge(pod: Pod, requirement: Requirement, told: string | undefined, session: Session): Promise<Unmet | undefined> {
  const { target, condition, optional } = requirement
  if (target.type === 'probe') {
    if (told === undefined) return undefined
    return { requirement, why: told, objects: await serviceAt(target.host, pod, session) }
  }
  const resource = await session.discovery.find(target.kind)
  if (!resource) return { requirement, why: `the cluster serves no kind ${JSON.stringify(target.kind)}`, objects: [] }
  const namespace = resource.namespaced ? (target.namespace ?? pod.metadata.namespace) : undefined
  const untyped = resource as ResourceRef<KubeObject>
  const found =
    target.type === 'selector'
      ? (await session.client.list(untyped, { namespace, labelSelector: target.selector })).items
      : await one(untyped, target.name, namespace, session)
  if (found.length === 0) return optional ? undefined : { requirement, why: 'there is none', objects: [] }
  const verdicts = await Promise.all(
    found.map(async (object) => ({ object, verdict: await verdictFor({ ...object, kind: resource.kind }, condition, session) })),
  )
  const unmet = verdicts.filter(({ verdict }) => !verdict.met)
  const [first] = unmet
  if (!first) return undefined
  const why = target.type === 'selector' ? `${first.object.metadata.name}: ${first.verdict.why}` : first.verdict.why
  return { requirement, why, objects: unmet.map(({ object }) => ({ resource, object })) }
}

/** A Service is up when something behind it is. */
export async function verdictFor(object: KubeObject, condition: string | undefined, { client }: Session) {
  const isService = object.kind === 'Service' && (condition === undefined || condition === 'Ready')
  if (!isService || object.spec?.type === 'ExternalName') return verdictOf(object, condition)
  const { name = '', namespace } = object.metadata
  const slices = await client.list(endpointSlices, { namespace, labelSelector: `kubernetes.io/service-name=${name}` })
  const isUp = slices.items.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready !== false))
  return isUp ? verdictOf(object, 'Exists') : { met: false, why: 'it has no ready endpoint' }
}

async function one(resource: ResourceRef<KubeObject>, name: string, namespace: string | undefined, session: Session) {
  const found = await readIfThere(resource, name, namespace, session)
  return found ? [found] : []
}

export async function readIfThere(
  resource: ResourceRef,
  name: string,
  namespace: string | undefined,
  { client }: Session,
): Promise<KubeObject | undefined> {
  try {
    return await client.get(resource as ResourceRef<KubeObject>, name, { namespace })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** The Service that a host's name means inside the cluster. */
async function serviceAt(host: string, pod: Pod, session: Session): Promise<Unmet['objects']> {
  const [name = '', namespace = pod.metadata.namespace] = host.split('.')
  const resource = /^[a-z]/.test(name) ? await session.discovery.find('services') : undefined
  if (!resource) return []
  const found = await one(resource as ResourceRef<KubeObject>, name, namespace, session)
  return found.map((object) => ({ resource, object }))
}

/** What the pod's condition says of it: `TEXT (WHY)`, where the why may hold brackets of its own. */
function toldOf(pod: Pod, requirement: Requirement): string | undefined {
  const message = requirementsOf(pod)?.message ?? ''
  const start = message.indexOf(`${describe(requirement)} (`)
  if (start < 0) return undefined
  const from = start + describe(requirement).length + 2
  let open = 1
  for (let at = from; at < message.length; at++) {
    if (message[at] === '(') open++
    if (message[at] === ')' && --open === 0) return message.slice(from, at)
  }
  return message.slice(from)
}
