/**
 * APIServices that name a Service: whether the server behind it answers, which its status says and discovery shows, and passing
 * requests on to it.
 */
import { text } from 'node:stream/consumers'
import { isConflict, isNotFound } from '../../api/status.ts'
import type { APIService, APIServiceCondition } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import type { KeyPair } from '../auth/certificates.ts'
import { destinationOf } from '../callout/destination.ts'
import type { InProcessDoor } from '../contract.ts'
import type { Core } from '../core.ts'
import { createInProcessDoor } from '../in-process.ts'
import { callOutside } from './call.ts'
import { APISERVICES, type OutsideResource } from './outside.ts'
import { passOn } from './pass-on.ts'

const SERVER = { name: 'system:kube-aggregator', groups: ['system:masters', 'system:authenticated'] }
/** How often servers outside are asked whether they are there; also whenever their Service or its endpoints change. */
const CHECK_INTERVAL_MS = 30_000
/** How long they have for that answer. */
const CHECK_TIMEOUT_MS = 5_000

type Verdict = Pick<APIServiceCondition, 'status' | 'reason' | 'message'>

export class ApiServices {
  readonly #core: Core
  readonly #identity: KeyPair
  readonly #door: InProcessDoor
  readonly #waiting = new Set<string>()
  #working = false

  constructor(core: Core, identity: KeyPair) {
    this.#core = core
    this.#identity = identity
    this.#door = createInProcessDoor(core, SERVER)
  }

  begin(): void {
    const { reader, closing, outside } = this.#core
    outside.passOn = (request, version) => passOn(this.#core, this.#identity, request, version)
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
    this.#waiting.add(name)
    if (this.#working) return
    this.#working = true
    this.#work().catch((error: unknown) => this.#core.log.error('an API service could not be looked at', { error }))
  }

  async #work(): Promise<void> {
    try {
      for (const name of this.#waiting) {
        this.#waiting.delete(name)
        if (!this.#core.closing.aborted) await this.#check(name)
      }
    } finally {
      this.#working = false
    }
  }

  async #check(name: string): Promise<void> {
    const service = this.#core.reader.get(APISERVICES.group, APISERVICES.plural, '', name) as APIService | undefined
    if (!service?.spec?.service) return
    const { group = '', version = '', versionPriority } = service.spec
    const { verdict, resources } = await this.#judge(service)
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

  async #judge(service: APIService): Promise<{ verdict: Verdict; resources?: readonly OutsideResource[] }> {
    const { reader, clock } = this.#core
    const { group, version, service: reference } = service.spec!
    const { namespace = '', name = '', port } = reference!
    if (!reader.get('', 'services', namespace, name))
      return refused('ServiceNotFound', `service/${name} in ${JSON.stringify(namespace)} is not present`)
    try {
      destinationOf(this.#core, { service: { namespace, name, port } })
    } catch (error) {
      return refused(
        'MissingEndpoints',
        `endpoints for service/${name} in ${JSON.stringify(namespace)} have no addresses: ${(error as Error).message}`,
      )
    }
    const path = `/apis/${group}/${version}`
    const deadline = new AbortController()
    const cancel = clock.after(CHECK_TIMEOUT_MS, () => deadline.abort(new Error('context deadline exceeded')), { unref: true })
    try {
      const headers = { accept: 'application/json' }
      const answer = await callOutside(this.#core, service, this.#identity, {
        ...{
          method: 'GET',
          path,
          headers,
          body: undefined,
          user: SERVER,
          signal: AbortSignal.any([deadline.signal, this.#core.closing]),
        },
      })
      const body = await text(answer)
      if (answer.statusCode !== 200) throw new Error(`bad status from ${path}: ${answer.statusCode}`)
      const { resources = [] } = JSON.parse(body) as { resources?: OutsideResource[] }
      return { verdict: { status: 'True', reason: 'Passed', message: 'all checks passed' }, resources }
    } catch (error) {
      const where = `https://${name}.${namespace}.svc:${port ?? 443}${path}`
      return refused('FailedDiscoveryCheck', `failing or missing response from ${where}: ${(error as Error).message}`)
    } finally {
      cancel()
    }
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

function refused(reason: string, message: string): { verdict: Verdict } {
  return { verdict: { status: 'False', reason, message } }
}
