/** The warnings that are worth a line: what is over is left out, what says the same is one. Pure. */
import type { Event, Pod } from '../../api/types.ts'
import type { EventReport } from './report.ts'

const MAX_EVENTS = 5
/** Where the node says which pod it means, in words that nobody reads. */
const IN_POD = / in pod \S+\([0-9a-f-]{36}\)/

/** `warnings` come from the newest to the oldest, and so do the reports. */
export function eventsIn(warnings: readonly Event[], pods: readonly Pod[]): EventReport[] {
  const readySince = new Map(pods.map((pod) => [pod.metadata.uid, readyTime(pod)]))
  const found = new Map<string, EventReport & { objects: Set<string> }>()
  for (const event of warnings) {
    const { involvedObject, reason = '', series, count } = event
    const at = eventTime(event)
    // A pod that got ready since has left that behind.
    if (at <= (readySince.get(involvedObject.uid) ?? '')) continue
    const name = involvedObject.name ?? ''
    const kind = (involvedObject.kind ?? '').toLowerCase()
    const object = `${kind}/${name}`
    const message = (event.message ?? '').trim().replace(IN_POD, '')
    const key = `${kind} ${reason} ${withoutNames(message, name)}`
    const times = series?.count ?? count ?? 1
    const before = found.get(key)
    if (before) found.set(key, { ...before, count: before.count + times, objects: before.objects.add(object) })
    else found.set(key, { object, reason, message, at, count: times, objects: new Set([object]) })
  }
  return [...found.values()].slice(0, MAX_EVENTS).map(({ objects, ...report }) => ({
    ...report,
    ...(objects.size > 1 && { others: objects.size - 1 }),
  }))
}

/** Of the object itself, and those that were generated for what it makes; counts go on while the reason stays. */
function withoutNames(message: string, name: string): string {
  return message.replaceAll(new RegExp(`${name.replaceAll('.', '\\.')}(-[a-z0-9]{5}\\b)?`, 'g'), '*').replaceAll(/\d+/g, '#')
}

/** Undefined for a pod that is not ready. */
function readyTime({ status }: Pod): string | undefined {
  return status?.conditions?.find(({ type, status: holds }) => type === 'Ready' && holds === 'True')?.lastTransitionTime
}

export function eventTime({ series, lastTimestamp, eventTime: at, metadata }: Event): string {
  return series?.lastObservedTime ?? lastTimestamp ?? at ?? metadata.creationTimestamp ?? ''
}
