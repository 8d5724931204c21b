/** What holds a pod, as admission wrote it there. Pods of one template say the same: it is read once for all of them. */
import { RESOLVED } from '../../api/requires/names.ts'
import type { Requirement } from '../../api/requires/requirement.ts'
import { resolvedRequirements } from '../../api/requires/resolved.ts'
import type { Pod } from '../../api/types.ts'

const MAX_KNOWN = 10_000

interface Read {
  all: readonly Requirement[]
  /** Those that the pod cannot lose. */
  vital: readonly Requirement[]
}

const NOTHING: Read = { all: [], vital: [] }

export class Resolved {
  readonly #known = new Map<string, Read>()

  of(pod: Pod): readonly Requirement[] {
    return this.#read(pod).all
  }

  vitalOf(pod: Pod): readonly Requirement[] {
    return this.#read(pod).vital
  }

  #read({ metadata }: Pod): Read {
    const text = metadata.annotations?.[RESOLVED]
    if (text === undefined) return NOTHING
    let read = this.#known.get(text)
    if (read) return read
    const all = resolvedRequirements({ metadata }) ?? []
    read = { all, vital: all.filter(({ onLoss }) => onLoss === 'restart' || onLoss === 'stop') }
    if (this.#known.size >= MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(text, read)
    return read
  }
}
