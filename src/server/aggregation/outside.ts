/** Groups and versions that servers outside serve: what discovery and the pipeline need to know of them. Knows no call. */
import type { APIService } from '../../api/types.ts'
import { equalJson } from '../objects/json.ts'

export const APISERVICES = { group: 'apiregistration.k8s.io', plural: 'apiservices' }

/** A version as the server outside lists it (`APIResource`). */
export interface OutsideResource {
  readonly name: string
  readonly singularName?: string
  readonly namespaced: boolean
  readonly kind: string
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
}

export interface OutsideVersion {
  readonly group: string
  readonly version: string
  /** Higher first, within the group. */
  readonly priority: number
  readonly service: APIService
  available: boolean
  resources: readonly OutsideResource[]
}

export class OutsideVersions {
  readonly #byName = new Map<string, OutsideVersion>()
  /** Grows with every change that discovery shows. */
  generation = 0

  get isEmpty(): boolean {
    return this.#byName.size === 0
  }

  find(group: string, version: string): OutsideVersion | undefined {
    return this.#byName.get(`${version}.${group}`)
  }

  /** The version that a path is about: `/apis/GROUP/VERSION` and below, and its part of OpenAPI. */
  ofPath(path: string): OutsideVersion | undefined {
    if (this.#byName.size === 0) return undefined
    const [, group = '', version = ''] = /^(?:\/openapi\/v3)?\/apis\/([^/]+)\/([^/]+)/.exec(path) ?? []
    return this.find(group, version)
  }

  all(): Iterable<OutsideVersion> {
    return this.#byName.values()
  }

  put(one: OutsideVersion): void {
    const name = `${one.version}.${one.group}`
    const before = this.#byName.get(name)
    this.#byName.set(name, one)
    const isSame =
      before?.available === one.available && before.priority === one.priority && equalJson(before.resources, one.resources)
    if (!isSame) this.generation += 1
  }

  remove(name: string): void {
    if (this.#byName.delete(name)) this.generation += 1
  }
}
