/**
 * APIServices that name a Service: whether the server behind it answers, which its status says and discovery shows, and passing
 * requests on to it.
 */
import { isConflict, isNotFound } from '../../api/status.ts'
import type { APIService } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import type { KeyPair } from '../auth/certificates.ts'
import type { InProcessDoor } from '../contract.ts'
import type { Core } from '../core.ts'
import { NameQueue } from '../name-queue.ts'
import { askAvailable, obstacle, type Verdict } from './availability.ts'
import { OutsideOpenApi } from './open-api.ts'
import { APISERVICES } from './outside.ts'
import { passOn, passUpgrade } from './pass-on.ts'

/** How often servers outside are asked whether they are there; also whenever their Service or its endpoints change. */
const CHECK_INTERVAL_MS = 30_000

export class ApiServices {
  readonly #core: Core
  readonly #identity: KeyPair
  readonly #door: InProcessDoor
  readonly #queue: NameQueue

  constructor(core: Core, identity: KeyPair, door: InProcessDoor) {
    this.#core = core
    this.#queue = new NameQueue({ core, look: (name) => this.#check(name), failure: 'an API service could not be looked at' })
    this.#identity = identity
    this.#door = door
  }

  begin(): void {
    const { reader, closing, outside } = this.#core
    outside.passOn = (request, version) => passOn(this.#core, this.#identity, request, version)
    outside.passUpgrade = (request, version, caller) => passUpgrade(this.#core, this.#identity, request, version, caller)
    outside.openApi = new OutsideOpenApi(this.#core, this.#identity)
    const stops = [
      reader.watch(APISERVICES.group, APISERVICES.plural, (object, change) => {
        const name = object.metadata.name ?? ''
        if (change === 'deleted' || !(object as APIService).spec?.service) outside.versions.remove(name)
        else this.#look(name)
      }),
      reader.watch('', 'services', ({ metadata }) => this.#lookBehind(metadata.namespace, metadata.name)),
      reader.watch('discovery.k8s.io', 'endpointslices', ({ metadata }) =>
        this.#lookBehind(metadata.namespace, metadata.labels?.['kubernetes.io/service-name']),
      ),
    ]
    for (const stop of stops) closing.addEventListener('abort', stop, { once: true })
    this.#lookAtAll()
  }

  #all(): readonly APIService[] {
    const all = this.#core.reader.list(APISERVICES.group, APISERVICES.plural) as readonly APIService[]
    return all.filter(({ spec }) => spec?.service)
  }

  #lookAtAll(): void {
    for (const { metadata } of this.#all()) this.#look(metadata.name ?? '')
    this.#core.clock.after(CHECK_INTERVAL_MS, () => this.#lookAtAll(), { unref: true })
  }

  #lookBehind(namespace: string | undefined, service: string | undefined): void {
    for (const { metadata, spec } of this.#all())
      if (spec?.service?.name === service && spec?.service?.namespace === namespace) this.#look(metadata.name ?? '')
  }

  #look(name: string): void {
    this.#queue.add(name)
  }

  async #check(name: string): Promise<void> {
    const service = this.#core.reader.get(APISERVICES.group, APISERVICES.plural, '', name) as APIService | undefined
    if (!service?.spec?.service) return
    const { group = '', version = '', versionPriority } = service.spec
    const against = obstacle(this.#core, service)
    const { verdict, resources } = against
      ? { verdict: against, resources: undefined }
      : await askAvailable(this.#core, this.#identity, service)
    const { versions } = this.#core.outside
    const before = versions.find(group, version)
    const available = verdict.status === 'True'
    versions.put({
      group,
      version,
      priority: versionPriority,
      service,
      available,
      resources: resources ?? before?.resources ?? [],
    })
    await this.#say(service, verdict)
  }

  async #say(service: APIService, verdict: Verdict): Promise<void> {
    const before = service.status?.conditions?.find(({ type }) => type === 'Available')
    if (before?.status === verdict.status && before.reason === verdict.reason && before.message === verdict.message) return
    const { clock, closing } = this.#core
    const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : timestamp(clock)
    const { status, ...says } = verdict
    const conditions = [{ type: 'Available', status, lastTransitionTime, ...says }]
    const path = `/apis/${APISERVICES.group}/v1/${APISERVICES.plural}/${service.metadata.name}/status`
    const body = { ...service, status: { conditions } }
    try {
      await this.#door.request({ method: 'PUT', path, headers: { 'user-agent': 'kube-apiserver' }, body })
    } catch (error) {
      // Somebody wrote in between: the event of that write brings it here again.
      if (!isConflict(error) && !isNotFound(error) && !closing.aborted) throw error
    }
  }
}
