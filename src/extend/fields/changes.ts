/**
 * What `skiff.dev/on-change.VAR` asks for when a variable's source has moved on, as annotations that the node agent acts on
 * (`api/downward/container-requests.ts`). A restart brings the new value, a signal leaves the environment as it is. Pure.
 */
import { createHash } from 'node:crypto'
import { annotationOf } from '../../api/downward/annotations.ts'
import { restartAnnotation, signalAnnotation, signalTokens, writeSignals } from '../../api/downward/container-requests.ts'
import type { Pod } from '../../api/types.ts'
import { type Watched, watchedVariables } from './on-change.ts'
import type { Values } from './values.ts'

export interface Changes {
  readonly annotations: Record<string, string>
  /** What is done, for events. */
  readonly notices: string[]
}

export function changesOf(pod: Pod, { known }: Pick<Values, 'known'>): Changes {
  const changes: Changes = { annotations: {}, notices: [] }
  const before = pod.metadata.annotations ?? {}
  const watched = watchedVariables(pod.spec, before)
  for (const one of watched) if (one.action.do === 'restart') restart(one, known, before, changes)
  for (const container of new Set(watched.map((one) => one.container))) {
    signal(
      container,
      watched.filter((one) => one.container === container),
      known,
      before,
      changes,
    )
  }
  return changes
}

type Texts = Readonly<Record<string, string>>

function movedKeys(keys: readonly string[], known: Texts, before: Texts): string[] {
  return keys.filter((key) => {
    const now = known[annotationOf(key)]
    return now !== undefined && now !== before[annotationOf(key)]
  })
}

function restart({ container, variable, keys }: Watched, known: Texts, before: Texts, { annotations, notices }: Changes): void {
  const moved = movedKeys(keys, known, before)
  if (moved.length === 0) return
  for (const key of moved) annotations[annotationOf(key)] = known[annotationOf(key)]!
  annotations[restartAnnotation(container)] = tokenOf(moved, known)
  notices.push(`${variable} has moved on: container ${container} restarts with its new value`)
}

/**
 * The process keeps its environment, so the values stay, and each signal's token says which values the process has heard of:
 * the first is sent when they are not those it started with.
 */
function signal(container: string, watched: readonly Watched[], known: Texts, before: Texts, changes: Changes): void {
  const heard = signalTokens(before, container)
  const wanted = new Map(heard)
  for (const { action, variable } of watched) {
    if (action.do !== 'signal' || wanted.get(action.signal) !== heard.get(action.signal)) continue
    const same = watched.filter((one) => one.action.do === 'signal' && one.action.signal === action.signal)
    const keys = [...new Set(same.flatMap((one) => one.keys))]
    const token = tokenOf(keys, known)
    const told = heard.get(action.signal)
    if (told === token || (told === undefined && movedKeys(keys, known, before).length === 0)) continue
    wanted.set(action.signal, token)
    changes.notices.push(`${variable} has moved on: container ${container} gets ${action.signal}`)
  }
  const text = writeSignals(wanted)
  if (text !== writeSignals(heard)) changes.annotations[signalAnnotation(container)] = text
}

function tokenOf(keys: readonly string[], known: Texts): string {
  const text = keys.map((key) => `${key}=${known[annotationOf(key)] ?? ''}`).join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
