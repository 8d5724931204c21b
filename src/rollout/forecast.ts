/** The steps of a roll as they would be if every pod were ready at once: the plan, asked again after each of its own actions. Pure. */
import type { Course, Listing } from './family.ts'
import { observe } from './observe.ts'
import { type Action, type Observed, planRoll, type Side } from './plan.ts'
import type { PetObserved, SwitchSide } from './plan-switch.ts'
import { sidesOf, textOf } from './tell.ts'

/** Longer plans say how many more steps there are. */
const MAX_SHOWN = 40
const MAX_STEPS = 10_000

export function forecast(course: Course, listing: Listing): string[] {
  let observed: Observed = { ...observe(course, listing) }
  const sides = sidesOf(course, listing)
  const steps: string[] = []
  for (let count = 0; count < MAX_STEPS; count++) {
    const actions = planRoll(observed)
    for (const action of actions) {
      if (action.do !== 'mark' && action.do !== 'begin') steps.push(textOf(course, action, sides))
      observed = after(observed, action, course)
    }
    const last = actions.at(-1)
    if (!last || last.do === 'finish' || last.do === 'pause') break
  }
  const hidden = steps.length - MAX_SHOWN
  return hidden > 1 ? [...steps.slice(0, MAX_SHOWN), `and ${hidden} more`] : steps
}

/** What would be seen next: counts are met at once, and nobody else writes. */
export function after(observed: Observed, action: Action, { staying: stayingName, settings }: Course): Observed {
  const change = (name: string, to: Partial<Side> & Partial<SwitchSide>): Observed => ({
    ...observed,
    leaving: observed.leaving.map((side) => (side.name === name ? { ...side, ...to } : side)),
    staying: observed.staying?.name === name ? { ...observed.staying, ...to } : observed.staying,
    ...(observed.pet && { pet: changed(observed.pet, name, to) }),
  })
  switch (action.do) {
    case 'create':
      return { ...observed, staying: sideNamed(stayingName, 0) }
    case 'begin':
      return change(action.name, { begun: true })
    case 'separate':
      return change(action.name, { separate: true })
    case 'mark':
      return {
        ...observed,
        leaving: observed.leaving.map((side) => ({ ...side, begun: true, marked: true })),
        staying: observed.staying && { ...observed.staying, begun: true, marked: true },
      }
    case 'scale':
      return change(action.name, counts(action.replicas))
    case 'rescale':
      return { ...observed, desired: action.desired }
    case 'hold':
    case 'unhold':
    case 'orphan':
    case 'adopt':
    case 'release':
    case 'shelve':
      return observed.pet ? switched(observed, observed.pet, action, settings.pet) : observed
    case 'delete':
      return deleted(observed, action.name)
    case 'pause':
    case 'finish':
      return observed
  }
}

function counts(replicas: number) {
  return { replicas, written: replicas, pods: replicas, available: replicas, settled: true }
}

function sideNamed(name: string, replicas: number): Side {
  return { name, ...counts(replicas), separate: true, begun: true, marked: false }
}

function changed(pet: PetObserved, name: string, to: Partial<SwitchSide>): PetObserved {
  const one = (side: SwitchSide | undefined) => (side?.name === name ? { ...side, ...to } : side)
  return { ...pet, original: one(pet.original), clone: one(pet.clone) }
}

function deleted(observed: Observed, gone: string): Observed {
  const { pet } = observed
  return {
    ...observed,
    leaving: observed.leaving.filter(({ name }) => name !== gone),
    surplus: observed.surplus.filter((name) => name !== gone),
    pet: pet && {
      ...pet,
      rivals: pet.rivals.filter((name) => name !== gone),
      next: pet.next?.name === gone ? undefined : pet.next,
    },
  }
}

function switched(
  observed: Observed,
  pet: PetObserved,
  action: Extract<Action, { do: 'hold' | 'unhold' | 'orphan' | 'adopt' | 'release' | 'shelve' }>,
  names: { name: string; clone: string } | undefined,
): Observed {
  const isForward = pet.direction === 'forward'
  switch (action.do) {
    case 'hold':
      return { ...observed, pet: changed(pet, action.name, { held: true }) }
    case 'unhold':
      return { ...observed, pet: { ...pet, restored: true } }
    case 'orphan':
      return { ...observed, pet: changed(pet, action.name, { terminating: true, empty: true, pods: 0 }) }
    case 'adopt': {
      const from = pet.original?.name === action.from ? pet.original : pet.clone
      const name = (action.to === 'clone' ? names?.clone : names?.name) ?? ''
      const replicas = from?.replicas ?? 0
      const taker: SwitchSide = { ...sideNamed(name, replicas), held: false, terminating: false, empty: false }
      const side = sideNamed(name, replicas)
      if (action.to === 'pet') return { ...observed, pet: { ...pet, original: taker } }
      return { ...observed, ...(isForward ? { leaving: [side] } : { staying: side }), pet: { ...pet, clone: taker } }
    }
    case 'release':
      return {
        ...observed,
        pet: action.name === pet.original?.name ? { ...pet, original: undefined } : { ...pet, clone: undefined, restored: true },
      }
    case 'shelve':
      return { ...observed, pet: { ...pet, next: pet.next && { ...pet.next, shelved: true } } }
  }
}
