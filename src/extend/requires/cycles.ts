/** Finds pods that would wait for themselves: follows what each object requires to those behind it, until it comes back. */
import { podKindOf, serviceOfHost } from '../../api/requires/targets.ts'
import { type LabelSelector, parseLabelSelector, setSelector } from '../../api/selectors.ts'
import type { Waiter, Waiters } from './waiters.ts'

interface Step {
  /** What the path shows. */
  via: string
  to: Waiter
}

/** The path from the object back to itself, as `deployment/a`, `service/b`, …; undefined when there is none. */
export async function cycleThrough(self: Waiter, namespace: string, waiters: Waiters): Promise<string[] | undefined> {
  const seen = new Set<string>()
  const walk = async (waiter: Waiter, path: string[]): Promise<string[] | undefined> => {
    for (const { via, to } of await stepsFrom(waiter, self, namespace, waiters)) {
      const further = via === to.id ? [...path, to.id] : [...path, via, to.id]
      if (to.id === self.id) return further
      if (seen.has(to.id)) continue
      seen.add(to.id)
      const found = await walk(to, further)
      if (found) return found
    }
    return undefined
  }
  return walk(self, [self.id])
}

async function stepsFrom(waiter: Waiter, self: Waiter, namespace: string, waiters: Waiters): Promise<Step[]> {
  const steps = waiter.requirements.map(async ({ target }): Promise<Step[]> => {
    if (target.type === 'probe') {
      const named = serviceOfHost(target.host, namespace)
      return named?.namespace === namespace ? behind(named.name, self, namespace, waiters) : []
    }
    if (target.namespace !== undefined && target.namespace !== namespace) return []
    const kind = podKindOf(target.kind)
    if (kind === undefined) return []
    if (target.type === 'selector') {
      return picked(parseLabelSelector(target.selector), self, namespace, waiters, kind).map((to) => ({ via: to.id, to }))
    }
    if (kind === 'Service') return behind(target.name, self, namespace, waiters)
    const id = `${kind.toLowerCase()}/${target.name}`
    const to = id === self.id ? self : waiters.byId(namespace, kind, target.name)
    return to ? [{ via: id, to }] : []
  })
  return (await Promise.all(steps)).flat()
}

async function behind(name: string, self: Waiter, namespace: string, waiters: Waiters): Promise<Step[]> {
  const selector = (await waiters.service(namespace, name))?.spec?.selector
  if (!selector || Object.keys(selector).length === 0) return []
  return picked(setSelector(selector), self, namespace, waiters).map((to) => ({ via: `service/${name}`, to }))
}

/** The object in question counts as it will be, not as the caches have it. */
function picked(selector: LabelSelector, self: Waiter, namespace: string, waiters: Waiters, kind?: string): Waiter[] {
  const others = waiters.picked(namespace, selector, kind).filter(({ id }) => id !== self.id)
  const isOfKind = kind === undefined || self.id.startsWith(`${kind.toLowerCase()}/`)
  return isOfKind && selector.matches(self.labels) ? [self, ...others] : others
}
