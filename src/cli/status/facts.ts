/** Reads what is to be known of an object before it can be said whether it works: its pods, what is in front of them, what was reported. */
import type { KubeObject } from '../../api/object.ts'
import { type LabelSelector, type Labels, setSelector } from '../../api/selectors.ts'
import type { EndpointSlice, Event, Job, Pod, Service } from '../../api/types.ts'
import type { ListParameters, ResourceRef } from '../../client/client.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { endpointSlices, events, jobs, pods, replicaSets, services } from '../../client/resources.ts'
import { selectorOf } from '../find-pods.ts'
import { isUnavailable } from '../names/metadata.ts'
import { templateAt, templatePathsOf } from '../pod-template.ts'
import type { Session } from '../session.ts'
import { eventTime } from './events.ts'

export interface Facts {
  readonly resource: DiscoveredResource
  /** With its kind. */
  readonly object: KubeObject
  readonly pods: readonly Pod[]
  /** Of a CronJob, newest first. */
  readonly jobs: readonly Job[]
  readonly services: readonly { service: Service; slices: readonly EndpointSlice[] }[]
  /** Warnings about it and what it made, newest first. */
  readonly warnings: readonly Event[]
}

const SERVICE_NAME = 'kubernetes.io/service-name'

/** Looks at several objects: what they have in common in a namespace is read once. */
export class Surveyor {
  readonly #session: Session
  readonly #askers = new Map<string | undefined, Asker>()
  readonly #isSingle: boolean

  constructor(session: Session, isSingle: boolean) {
    this.#session = session
    this.#isSingle = isSingle
  }

  async factsOf(resource: DiscoveredResource, read: KubeObject): Promise<Facts> {
    const object = { ...read, kind: resource.kind }
    const { namespace } = object.metadata
    const asker = this.#askers.get(namespace) ?? new Asker(this.#session, namespace, this.#isSingle)
    this.#askers.set(namespace, asker)
    const made = await asker.madeBy(object)
    const found = await asker.podsOf(object, resource.group, made.jobs)
    const [front, warnings] = await Promise.all([
      asker.servicesOf(object, resource.group, found),
      asker.warningsAbout([object, ...made.replicaSets, ...made.jobs, ...found]),
    ])
    return { resource, object, pods: found, jobs: made.jobs, services: front, warnings }
  }
}

class Asker {
  readonly #session: Session
  readonly #namespace: string | undefined
  readonly #isSingle: boolean
  #services: Promise<{ service: Service; selector: LabelSelector }[]> | undefined
  #warnings: Promise<Event[]> | undefined

  constructor(session: Session, namespace: string | undefined, isSingle: boolean) {
    this.#session = session
    this.#namespace = namespace
    this.#isSingle = isSingle
  }

  /** Empty where the user may not look: what is known of the rest is told all the same. */
  async #list<T>(resource: ResourceRef<T>, parameters: ListParameters): Promise<T[]> {
    try {
      return (await this.#session.client.list(resource, { namespace: this.#namespace, ...parameters })).items
    } catch (error) {
      if (!isUnavailable(error)) throw error
      return []
    }
  }

  /** What stands between it and its pods. */
  async madeBy(object: KubeObject): Promise<{ replicaSets: KubeObject[]; jobs: Job[] }> {
    const isOwned = ({ metadata }: KubeObject) =>
      metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid) === true
    if (object.kind === 'Deployment')
      return { replicaSets: (await this.#list(replicaSets, { labelSelector: selectorOf(object) })).filter(isOwned), jobs: [] }
    if (object.kind !== 'CronJob') return { replicaSets: [], jobs: [] }
    const own = (await this.#list(jobs, {})).filter(isOwned)
    const createdAt = ({ metadata }: Job) => metadata.creationTimestamp ?? ''
    return { replicaSets: [], jobs: own.sort((a, b) => createdAt(b).localeCompare(createdAt(a))) }
  }

  async podsOf(object: KubeObject, group: string, made: readonly Job[]): Promise<Pod[]> {
    if (object.kind === 'Pod') return [object as Pod]
    // Of a CronJob, those of its newest job tell how it is.
    const selecting = object.kind === 'CronJob' ? made[0] : object
    const hasPods = selecting && (object.kind === 'Service' || templatePathsOf(selecting, group).length > 0 || made.length > 0)
    const labelSelector = hasPods ? selectorOf(selecting) : undefined
    return labelSelector === undefined ? [] : this.#list(pods, { labelSelector })
  }

  /** A Service itself, or those that select the pods, with their endpoints. */
  async servicesOf(object: KubeObject, group: string, found: readonly Pod[]): Promise<Facts['services']> {
    const selecting = object.kind === 'Service' ? [object as Service] : await this.#servicesSelecting(object, group, found)
    if (selecting.length === 0) return []
    const names = selecting.map(({ metadata }) => metadata.name)
    const slices = await this.#list(endpointSlices, { labelSelector: `${SERVICE_NAME} in (${names.join(',')})` })
    return selecting.map((service) => ({
      service,
      slices: slices.filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === service.metadata.name),
    }))
  }

  async #servicesSelecting(object: KubeObject, group: string, found: readonly Pod[]): Promise<Service[]> {
    const isBatch = object.kind === 'Job' || object.kind === 'CronJob'
    const templates = templatePathsOf(object, group).map((path) => templateAt(object, path))
    const labels = [...templates, ...found].flatMap((one) => (one?.metadata?.labels ? [one.metadata.labels] : []))
    if (isBatch || labels.length === 0) return []
    this.#services ??= this.#list(services, {}).then((all) =>
      all.flatMap((service) => {
        const selector = selectorIn(service)
        return selector ? [{ service, selector }] : []
      }),
    )
    const selecting = (await this.#services).filter(({ selector }) => labels.some((each) => selector.matches(each)))
    return selecting.map(({ service }) => service)
  }

  /** One request for all of them. */
  async warningsAbout(objects: readonly KubeObject[]): Promise<Event[]> {
    // A node reports about itself by its name.
    const about = new Set(objects.map(({ kind, metadata }) => (kind === 'Node' ? metadata.name : metadata.uid)))
    const uids = new Set([...about, ...objects.map(({ metadata }) => metadata.uid)])
    const namespace = this.#namespace ?? 'default'
    const [only] = objects.length === 1 && this.#isSingle ? objects : []
    const single = only && only.kind !== 'Node' ? `,involvedObject.uid=${only.metadata.uid}` : ''
    this.#warnings ??= this.#list(events, { namespace, fieldSelector: `type=Warning${single}` })
    const all = await this.#warnings
    return all
      .filter(({ involvedObject }) => involvedObject.uid !== undefined && uids.has(involvedObject.uid))
      .sort((a, b) => eventTime(b).localeCompare(eventTime(a)))
  }
}

/** Undefined for one without a selector: somebody else makes its endpoints. */
function selectorIn({ spec }: Service): LabelSelector | undefined {
  const labels: Labels | undefined = spec?.selector
  return labels && Object.keys(labels).length > 0 ? setSelector(labels) : undefined
}
