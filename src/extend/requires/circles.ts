/**
 * Finds pods that wait for one another and so for ever, whatever made it so: what each needs leads to the pods behind that, and
 * those that could start, one after the other, are taken away; what is left goes round in circles. Pure, and linear in what waits.
 */

/** What some pods wait for, and which pods could bring it about. */
export interface Awaited {
  /** As a path shows it: `service/db`. */
  text: string
  /** One of the pods is enough, as for a Service; else all have to be up. */
  any: boolean
  pods: readonly string[]
}

export interface Circle {
  /** The pod itself is in the circle; otherwise it waits for pods that are. */
  isMember: boolean
  /** From a pod back to itself, each step by what it waits for: pod, need, pod, need, …, pod. */
  path: readonly Step[]
}

export interface Step {
  pod: string
  /** What leads to the next pod; absent for the last. */
  need?: Awaited
}

/** `waiting`: what each pod that waits still needs, pods by their keys. Answers those that can never start. */
export function circlesOf(waiting: ReadonlyMap<string, readonly Awaited[]>): Map<string, Circle> {
  const stuck = stuckPods(waiting)
  const found = new Map<string, Circle>()
  const blocking = new Map<Awaited, string | undefined>()
  const next = (pod: string) => stepFrom(waiting.get(pod) ?? [], stuck, blocking)
  for (const start of stuck) {
    const trail: Step[] = []
    const at = new Map<string, number>()
    let pod = start
    while (!at.has(pod) && !found.has(pod)) {
      const { need, to } = next(pod)
      at.set(pod, trail.length)
      trail.push({ pod, need })
      pod = to
    }
    const known = found.get(pod)
    const from = known ? trail.length : at.get(pod)!
    const ring = trail.slice(from)
    for (const [index, member] of ring.entries()) {
      const path = [...ring.slice(index), ...ring.slice(0, index), { pod: member.pod }]
      found.set(member.pod, { isMember: true, path })
    }
    const circle = known ?? found.get(pod)!
    for (const { pod: before } of trail.slice(0, from)) found.set(before, { isMember: false, path: circle.path })
  }
  return found
}

/** Takes away what can start, and what can start then, until nothing more can. */
function stuckPods(waiting: ReadonlyMap<string, readonly Awaited[]>): Set<string> {
  const left = new Map<Awaited, number>()
  const waitersOf = new Map<Awaited, string[]>()
  const behind = new Map<string, Awaited[]>()
  const openNeeds = new Map<string, number>()
  const add = <K, V>(map: Map<K, V[]>, key: K, value: V) => {
    const values = map.get(key)
    if (values) values.push(value)
    else map.set(key, [value])
  }
  for (const [pod, needs] of waiting) {
    for (const need of needs) {
      if (!left.has(need)) {
        const blocked = need.pods.filter((one) => waiting.has(one))
        for (const one of blocked) add(behind, one, need)
        left.set(need, need.any ? Number(blocked.length > 0 && blocked.length === need.pods.length) : blocked.length)
      }
      add(waitersOf, need, pod)
    }
    openNeeds.set(pod, needs.filter((need) => left.get(need)! > 0).length)
  }
  const free = [...openNeeds].flatMap(([pod, open]) => (open === 0 ? [pod] : []))
  const stuck = new Set(waiting.keys())
  for (let pod = free.pop(); pod !== undefined; pod = free.pop()) {
    stuck.delete(pod)
    for (const need of behind.get(pod) ?? []) {
      const before = left.get(need)!
      if (before === 0) continue
      const now = need.any ? 0 : before - 1
      left.set(need, now)
      if (now > 0) continue
      for (const waiter of waitersOf.get(need) ?? []) {
        const open = openNeeds.get(waiter)! - 1
        openNeeds.set(waiter, open)
        if (open === 0) free.push(waiter)
      }
    }
  }
  return stuck
}

/** The first need of a stuck pod that is stuck itself, and a stuck pod behind it: there always is one. `known` is what was found for needs before. */
function stepFrom(
  needs: readonly Awaited[],
  stuck: ReadonlySet<string>,
  known: Map<Awaited, string | undefined>,
): { need: Awaited; to: string } {
  for (const need of needs) {
    if (!known.has(need)) known.set(need, blockingPod(need, stuck))
    const to = known.get(need)
    if (to !== undefined) return { need, to }
  }
  throw new Error('a pod that waits for ever waits for nothing')
}

function blockingPod({ any, pods }: Awaited, stuck: ReadonlySet<string>): string | undefined {
  if (any && !pods.every((pod) => stuck.has(pod))) return undefined
  return pods.find((pod) => stuck.has(pod))
}

/** Pods of a path that a message names. */
const MAX_NAMED = 10

/** `pod/a → service/b → pod/b → pod/a`; pods of other namespaces with theirs. */
export function pathText({ path }: Circle, namespace: string): string {
  const idOf = (pod: string) => `pod/${pod.startsWith(`${namespace}/`) ? pod.slice(namespace.length + 1) : pod}`
  const words: string[] = []
  for (const [index, { pod, need }] of path.entries()) {
    if (index === MAX_NAMED && path.length > MAX_NAMED + 1) {
      words.push(`${path.length - 1 - MAX_NAMED} more`, idOf(path[0]!.pod))
      break
    }
    words.push(idOf(pod))
    const to = path[index + 1]
    if (need && to && need.text !== idOf(to.pod)) words.push(need.text)
  }
  return words.join(' → ')
}
