/** Leads a write through admission: mutators in order, then every validator; tells those that passed when nothing was written. */
import type { ObjectKind } from '../../api/definition.ts'
import type { KubeObject } from '../../api/object.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission/contract.ts'
import type { WriteCall } from './call.ts'

export type Operation = AdmissionRequest['operation']

/** What is written: an object of the resource, or of the kind that its subresource takes. */
export interface Written {
  readonly operation: Operation
  /** Empty for a create that leaves the name to the server. */
  readonly name: string
  readonly object?: KubeObject | undefined
  readonly old?: KubeObject | undefined
  /** When it is not the resource's own. */
  readonly kind?: ObjectKind
}

export class Admission {
  readonly #request: AdmissionRequest
  readonly #plugins: readonly AdmissionPlugin[]
  #validated: AdmissionPlugin[] = []
  #asked = false

  constructor(call: WriteCall, { operation, name, object, old, kind }: Written) {
    const { request, core } = call
    const { definition } = call.resource
    this.#request = {
      operation,
      definition,
      kind: kind ?? definition,
      subresource: call.subresource,
      namespace: call.namespace,
      name,
      user: request.user,
      dryRun: call.dryRun,
      object,
      old,
      options: call.options,
      warn: (text) => {
        request.warnings.push(text)
      },
      annotate: (key, value) => {
        if (request.annotations) request.annotations[key] = value
      },
      askAgain: () => {
        this.#asked = true
      },
    }
    this.#plugins = core.admission.filter((plugin) => plugin.handles(this.#request))
  }

  /** Whether the object may have been edited. Throws what a plugin refuses with. */
  async mutate(): Promise<boolean> {
    const ran = await this.#mutateOnce()
    if (!this.#asked) return ran
    this.#request.again = true
    await this.#mutateOnce()
    return true
  }

  async #mutateOnce(): Promise<boolean> {
    let ran = false
    for (const plugin of this.#plugins) {
      if (!plugin.mutate || (this.#request.operation === 'DELETE' && !plugin.mutatesDeletes)) continue
      const pending = plugin.mutate(this.#request)
      if (pending) await pending
      ran = true
    }
    return ran
  }

  async validate(): Promise<void> {
    try {
      for (const plugin of this.#plugins) {
        if (!plugin.validate) continue
        const pending = plugin.validate(this.#request)
        if (pending) await pending
        this.#validated.push(plugin)
      }
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** The object was not written after all. */
  release(): void {
    if (!this.#request.dryRun) for (const plugin of this.#validated) plugin.release?.(this.#request)
    this.#validated = []
  }
}
