/**
 * Looks for circles when something of what waits has changed, a moment later, so that many changes are one look; and wakes the
 * pods for which the answer is another now.
 */
import type { KubeObject } from '../../api/object.ts'
import { type LabelSelector, type LabelSelectorObject, labelSelector, setSelector } from '../../api/selectors.ts'
import type { Pod } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import { type Cache, keyOf, splitKey } from '../../watch/informer.ts'
import { type Awaited, circlesOf, pathText } from './circles.ts'
import { pickedFrom } from './picked.ts'

/** What is created in one go has settled by then. */
const SETTLE_MS = 1_000
/** Of the time that a look took: looks take a part of the process's time that can be neglected. */
const PAUSE_FACTOR = 50

export interface CircleWatchOptions {
  clock: Clock
  signal: AbortSignal
  waiting(): Map<string, Awaited[]>
  wake(pod: string): void
}

export class CircleWatch {
  readonly #options: CircleWatchOptions
  #known: ReadonlyMap<string, string> = new Map()
  #planned = false
  #pauseMs = SETTLE_MS

  constructor(options: CircleWatchOptions) {
    this.#options = options
  }

  /** Something changed. */
  touch(): void {
    if (this.#planned) return
    this.#planned = true
    this.#options.clock.after(this.#pauseMs, () => this.#look(), { unref: true })
  }

  /** Why the pod can never start, if it is so. */
  of(pod: string): string | undefined {
    return this.#known.get(pod)
  }

  #look(): void {
    const { clock, signal, waiting, wake } = this.#options
    this.#planned = false
    if (signal.aborted) return
    const startMs = clock.monotonic()
    const before = this.#known
    const now = new Map<string, string>()
    for (const [pod, circle] of circlesOf(waiting())) {
      const who = circle.isMember ? 'it waits for itself' : 'it waits for pods that wait for one another'
      now.set(pod, `${who}: ${pathText(circle, splitKey(pod).namespace)}`)
    }
    this.#known = now
    this.#pauseMs = Math.max(SETTLE_MS, PAUSE_FACTOR * (clock.monotonic() - startMs))
    for (const pod of new Set([...before.keys(), ...now.keys()])) if (before.get(pod) !== now.get(pod)) wake(pod)
  }
}

/** The pods that could bring about what is needed, out of the objects that it is about. Those that end do not. */
export function awaitedOf(text: string, objects: readonly KubeObject[], pods: Cache<Pod>): Awaited {
  const any = objects.length === 1 && objects[0]!.kind === 'Service'
  const found = objects.flatMap((object) => (object.kind === 'Pod' ? [object as Pod] : podsOf(object, pods)))
  const alive = found.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed',
  )
  return { text, any, pods: alive.map(keyOf) }
}

function podsOf(object: KubeObject, pods: Cache<Pod>): Pod[] {
  const selector = selectorOf(object)
  return selector ? pickedFrom(pods, object.metadata.namespace ?? '', selector) : []
}

function selectorOf({ kind, spec }: KubeObject): LabelSelector | undefined {
  const given = spec?.selector
  if (!given || Object.keys(given).length === 0) return undefined
  return kind === 'Service' || kind === 'ReplicationController' ? setSelector(given) : labelSelector(given as LabelSelectorObject)
}
