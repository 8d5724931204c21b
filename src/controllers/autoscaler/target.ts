/** What an autoscaler scales: an object of any kind that has a scale, custom resources included. */
import { type LabelSelector, parseLabelSelector, SelectorError } from '../../api/selectors.ts'
import type { CrossVersionObjectReference, Scale } from '../../api/types.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import { createDiscovery } from '../../client/discovery.ts'
import * as builtin from '../../client/resources.ts'

const KNOWN: readonly ResourceRef[] = [
  builtin.deployments,
  builtin.replicaSets,
  builtin.statefulSets,
  builtin.replicationControllers,
]

export interface Target {
  readonly resource: ResourceRef<Scale>
  readonly scale: Scale
}

export class Targets {
  readonly #client: Client
  readonly #discovery

  constructor(client: Client) {
    this.#client = client
    this.#discovery = createDiscovery(client.transport)
  }

  /** Rejects with an Error or StatusError that says why there is none. */
  async read(reference: CrossVersionObjectReference, namespace: string): Promise<Target> {
    const resource = (await this.resourceOf(reference)) as ResourceRef<Scale> | undefined
    if (!resource) {
      const group = groupOf(reference)
      throw new Error(`no matches for kind ${JSON.stringify(reference.kind)} in group ${JSON.stringify(group)}`)
    }
    return { resource, scale: await this.#client.get(resource, reference.name, { namespace, subresource: 'scale' }) }
  }

  async write({ resource, scale }: Target, replicas: number): Promise<void> {
    const { namespace } = scale.metadata
    await this.#client.update(resource, { ...scale, spec: { ...scale.spec, replicas } }, { namespace, subresource: 'scale' })
  }

  /** By group and kind, in the version named if it is served. */
  async resourceOf(reference: CrossVersionObjectReference): Promise<ResourceRef | undefined> {
    const group = groupOf(reference)
    const known = KNOWN.find((one) => one.kind === reference.kind && one.group === group)
    return known ?? (await this.#discovered(reference, group)) ?? (await this.#rediscovered(reference, group))
  }

  async #discovered({ apiVersion = '', kind }: CrossVersionObjectReference, group: string): Promise<ResourceRef | undefined> {
    const candidates = (await this.#discovery.resources()).filter((one) => one.kind === kind && one.group === group)
    return candidates.find(({ version }) => apiVersion.endsWith(version)) ?? candidates[0]
  }

  /** A kind that was defined since. */
  #rediscovered(reference: CrossVersionObjectReference, group: string): Promise<ResourceRef | undefined> {
    this.#discovery.refresh()
    return this.#discovered(reference, group)
  }
}

function groupOf({ apiVersion = '' }: CrossVersionObjectReference): string {
  const [first = '', version] = apiVersion.split('/')
  return version === undefined ? '' : first
}

/** The pods of a target; or why they cannot be told. */
export function selectorOf({ scale }: Target): { text: string; selector: LabelSelector } | { problem: string } {
  const text = scale.status?.selector
  if (!text) return { problem: "the HPA target's scale is missing a selector" }
  try {
    return { text, selector: parseLabelSelector(text) }
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
    return { problem: `couldn't convert selector into a corresponding internal selector object: ${error.message}` }
  }
}
