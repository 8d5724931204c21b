/**
 * Keeps the APIServices of this server's own groups: those of custom resources come and go with their definitions, and the status of
 * every local one says that it is available.
 */
import { CRDS } from '../../api/custom/resource.ts'
import type { KubeObject } from '../../api/object.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../api/status.ts'
import type { APIService, CustomResourceDefinition } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import type { InProcessDoor } from '../contract.ts'
import type { Core } from '../core.ts'
import { NameQueue } from '../name-queue.ts'
import { equalJson } from '../objects/json.ts'
import { customService, isKnownLocal, localCondition, MANAGED, nameOf } from './local-service.ts'
import { APISERVICES } from './outside.ts'

const PATH = `/apis/${APISERVICES.group}/v1/${APISERVICES.plural}`
const HEADERS = { 'user-agent': 'kube-apiserver' }

export class LocalServices {
  readonly #core: Core
  readonly #door: InProcessDoor
  readonly #queue: NameQueue

  constructor(core: Core, door: InProcessDoor) {
    this.#core = core
    this.#queue = new NameQueue({ core, look: (name) => this.#settle(name), failure: 'a local API service could not be kept' })
    this.#door = door
  }

  begin(): void {
    const { reader } = this.#core
    for (const { metadata } of this.#services()) this.serviceChanged(metadata.name ?? '')
    for (const definition of reader.list(CRDS.group, CRDS.plural)) this.definitionChanged(definition)
  }

  serviceChanged(name: string): void {
    this.#queue.add(name)
  }

  /** All versions of its group: those that it has, and those that it may have had. */
  definitionChanged(definition: KubeObject): void {
    const { group = '', versions = [] } = (definition as CustomResourceDefinition).spec ?? {}
    for (const { name } of versions) this.serviceChanged(nameOf({ group, version: name }))
    for (const { metadata, spec } of this.#services()) if (spec?.group === group) this.serviceChanged(metadata.name ?? '')
  }

  #services(): readonly APIService[] {
    return this.#core.reader.list(APISERVICES.group, APISERVICES.plural) as readonly APIService[]
  }

  async #settle(name: string): Promise<void> {
    try {
      await this.#keep(name, this.#wanted(name))
    } catch (error) {
      // Somebody wrote in between: the event of that write brings it here again.
      const isPassing = isConflict(error) || isNotFound(error) || isAlreadyExists(error)
      if (!isPassing && !this.#core.closing.aborted) throw error
    }
  }

  /** What a definition that serves this version makes of it; undefined when there is none. */
  #wanted(name: string): KubeObject | undefined {
    const definitions = this.#core.reader.list(CRDS.group, CRDS.plural) as readonly CustomResourceDefinition[]
    for (const { spec } of definitions)
      for (const version of spec?.versions ?? []) {
        const place = { group: spec?.group ?? '', version: version.name }
        if (version.served && nameOf(place) === name) return customService(place)
      }
    return undefined
  }

  async #keep(name: string, wanted: KubeObject | undefined): Promise<void> {
    const { reader, clock } = this.#core
    const service = reader.get(APISERVICES.group, APISERVICES.plural, '', name) as APIService | undefined
    const isOurs = service?.metadata.labels?.[MANAGED] === 'true'
    if (!service) {
      if (wanted) await this.#door.request({ method: 'POST', path: PATH, headers: HEADERS, body: wanted })
    } else if (isOurs && !wanted) {
      await this.#door.request({ method: 'DELETE', path: `${PATH}/${name}`, headers: HEADERS })
    } else if (isOurs && wanted && !equalJson(service.spec, wanted.spec)) {
      const body = { ...service, spec: wanted.spec }
      await this.#door.request({ method: 'PUT', path: `${PATH}/${name}`, headers: HEADERS, body })
    } else if (!service.spec?.service && !isKnownLocal(service)) {
      const body = { ...service, status: { conditions: [localCondition(timestamp(clock))] } }
      await this.#door.request({ method: 'PUT', path: `${PATH}/${name}/status`, headers: HEADERS, body })
    }
  }
}
