/** Follows a rollout of the server's own to its end. */
import { isConflict } from '../../api/status.ts'
import { createFollower, laterOf } from '../follow.ts'
import { createPatience } from '../patience.ts'
import { type Phase, type Progress, type RollbackOptions, RollError, type RollResult, type SideProgress } from '../progress.ts'
import { isSeen, type ServedKind, type ServedObject, type ServedPatch } from './kind.ts'

interface Ends {
  done: string
  unchanged: string
  /** The template went back: pods of the one before may be in the server's way. */
  isBack?: boolean
}

export async function* watchRollout(
  options: RollbackOptions,
  kind: ServedKind,
  start: ServedObject,
  changed: boolean,
  say: Ends,
): AsyncGenerator<Progress, RollResult> {
  const { client, namespace, target, clock } = options
  const signal = options.onInterrupt === 'continue' ? undefined : options.signal
  const follower = createFollower(options)
  const patience = createPatience(clock, { ...options, signal })
  try {
    const sidesOf = (await kind.follow?.(follower, options)) ?? ((object: ServedObject) => sidesFrom(kind, object))
    const own = await follower.add(kind.resource)
    let lastCounts = ''
    let unblocked = false
    for (let isFirst = true; ; isFirst = false) {
      const cached = own.store.get(`${namespace}/${target.name}`)
      if (!cached) throw new RollError(`${kind.word}/${target.name} was deleted during the roll`)
      const now = laterOf(start, cached)
      const state = kind.stateOf(now)
      const told = { ...sidesOf(now), desired: kind.countsOf(now).wanted, changed }
      if (state === 'complete') {
        if (!changed && isFirst) return { outcome: 'unchanged', ...told, message: say.unchanged }
        yield { phase: 'Complete', ...told, message: 'all pods are replaced' }
        return { outcome: 'done', ...told, message: say.done }
      }
      if (state === 'held') return { outcome: 'canary', ...told, message: `the canary runs: ${textOf(kind, now)}` }
      if (say.isBack && !unblocked && isSeen(now)) {
        unblocked = true
        await kind.unblock?.(client, now)
      }
      const hold = state === 'rolling' && isSeen(now) ? kind.hold?.(now, told.new) : undefined
      if (hold) await write(options, kind, now, hold)
      const gaveUp = state === 'stuck' ? 'no-progress' : patience.exhausted()
      if (gaveUp === 'interrupted') return { outcome: gaveUp, ...told, message: await interrupted(options, kind, now) }
      if (gaveUp) {
        const why = gaveUp === 'no-progress' ? 'no progress' : 'the deadline passed'
        return { outcome: gaveUp, ...told, message: `${why}: ${textOf(kind, now)}` }
      }
      const counts = textOf(kind, now)
      if (counts !== lastCounts) {
        patience.progressed()
        lastCounts = counts
        const phase: Phase = state === 'paused' ? 'Paused' : 'Rolling'
        yield { phase, ...told, message: counts }
      }
      await follower.changed(patience.leftMs(), signal)
    }
  } finally {
    follower.stop()
  }
}

/** A server that can be told to wait is told so; another goes on. */
async function interrupted({ client, namespace, target }: RollbackOptions, kind: ServedKind, now: ServedObject): Promise<string> {
  const handle = `${kind.word}/${target.name}`
  const pause = kind.pause?.(now)
  if (!pause) return `interrupted; the server goes on with ${handle}: ${textOf(kind, now)}`
  await client.patch(kind.resource, target.name, 'merge', bodyOf(pause), { namespace })
  return `interrupted; paused with ${textOf(kind, now)}`
}

const bodyOf = ({ annotations = {}, spec = {} }: ServedPatch) => ({ metadata: { annotations }, spec })

/** On what was seen: when something else was written meanwhile, it is looked at again. */
async function write({ client, namespace, target }: RollbackOptions, kind: ServedKind, seen: ServedObject, patch: ServedPatch) {
  const { metadata, spec } = bodyOf(patch)
  const { resourceVersion } = seen.metadata
  try {
    await client.patch(kind.resource, target.name, 'merge', { metadata: { ...metadata, resourceVersion }, spec }, { namespace })
  } catch (error) {
    if (!isConflict(error)) throw error
  }
}

function textOf(kind: ServedKind, object: ServedObject): string {
  const { wanted, updated, available, all } = kind.countsOf(object)
  return `${updated} of ${wanted} updated, ${available} available, ${all} in all`
}

/** Both sides under the object's one name: pods of the new template, and all others. */
export function sidesFrom(kind: ServedKind, object: ServedObject): { old: SideProgress; new: SideProgress } {
  const { updated, available, all } = kind.countsOf(object)
  const name = object.metadata.name ?? ''
  const old = Math.max(0, all - updated)
  // Pods that are there already serve, as far as the counts tell.
  const ready = Math.min(updated, Math.max(0, available - old))
  return { old: { name, replicas: old, ready: Math.min(old, available - ready) }, new: { name, replicas: updated, ready } }
}

export function restOf(kind: ServedKind, object: ServedObject) {
  return { ...sidesFrom(kind, object), desired: kind.countsOf(object).wanted }
}
