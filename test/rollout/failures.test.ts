/** What kubectl's rolling-update got wrong, each as YAML in and YAML out: controllers and a request, the decision and what is done next. */
import { dump, load } from 'js-yaml'
import { expect, test } from 'vitest'
import type { ReplicationController } from '../../src/api/types.ts'
import { systemClock } from '../../src/base/clock.ts'
import { type Decision, decideBack, decideResume, decideRoll } from '../../src/rollout/course.ts'
import { listingOf } from '../../src/rollout/family.ts'
import { observe } from '../../src/rollout/observe.ts'
import { createPatience } from '../../src/rollout/patience.ts'
import { planRoll } from '../../src/rollout/plan.ts'
import { changedImages } from '../../src/rollout/template.ts'

interface Given {
  controllers: {
    name: string
    hash: string
    replicas: number
    available?: number
    base?: string
    record?: Record<string, string>
  }[]
  command: 'roll' | 'rollback' | 'resume'
  name: string
  /** The hash of the template that is asked for. */
  to?: string
}

/** Annotations of a record, in short. */
const long = {
  phase: 'phase',
  partner: 'partner',
  id: 'roll-id',
  role: 'role',
  original: 'original-replicas',
  desired: 'desired-replicas',
  direction: 'direction',
  written: 'written-replicas',
}

function controllerOf({
  name,
  hash,
  replicas,
  available = replicas,
  base,
  record = {},
}: Given['controllers'][number]): ReplicationController {
  const labels = { app: 'web', 'skiff.dev/template': hash }
  const annotations = Object.fromEntries(
    Object.entries(record).map(([key, value]) => [`skiff.dev/${long[key as keyof typeof long]}`, String(value)]),
  )
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: hash }] } }
  return {
    metadata: { name, labels, annotations: { ...annotations, ...(base && { 'skiff.dev/base': base }) }, generation: 1 },
    spec: { replicas, selector: labels, template },
    status: { replicas, availableReplicas: available, readyReplicas: available, observedGeneration: 1 },
  }
}

function answer(text: string): string {
  const { controllers, command, name, to = '' } = load(text) as Given
  const listing = listingOf(controllers.map(controllerOf))
  const target = { kind: 'ReplicationController', name } as const
  const options = { client: undefined as never, clock: systemClock, namespace: 'default', target, maxSurge: 1 }
  const wanted = controllerOf({ name: `web-${to}`, hash: to, replicas: 0, base: 'web' })
  const decision: Decision =
    command === 'roll'
      ? decideRoll('ReplicationController', listing, options, wanted)
      : command === 'rollback'
        ? decideBack('ReplicationController', listing, options, 'back')
        : decideResume('ReplicationController', listing, options)
  if (decision.is !== 'course') return dump({ is: decision.is })
  const { leaving, staying, direction, desired } = decision.course
  const [next] = planRoll(observe(decision.course, listing))
  return dump({ direction, leaving: leaving.join(','), staying, desired, next: next ? Object.values(next).join(' ') : 'wait' })
}

const done = '{phase: Complete, id: r1, original: 3'
const rolling = '{phase: Rolling, id: r1, original: 3'

test.each([
  [
    'it goes back after a roll from a file, to what was there, and after completion',
    `controllers:
- {name: web, hash: v1, replicas: 0, record: ${done}, partner: web-next, role: old, desired: 0}}
- {name: web-next, hash: v2, replicas: 3, base: web, record: ${done}, partner: web, role: new, desired: 3}}
command: rollback
name: web`,
    'direction: back\nleaving: web-next\nstaying: web\ndesired: 3\nnext: begin web\n',
  ],
  [
    'its clean-up loses no state: the side that stays says that the roll is under way until all is done',
    `controllers:
- {name: web, hash: v1, replicas: 0, record: ${done}, partner: web-v2, role: old, desired: 0}}
- {name: web-v2, hash: v2, replicas: 3, base: web, record: ${rolling}, partner: web, role: new, desired: 3}}
command: resume
name: web`,
    'direction: forward\nleaving: web\nstaying: web-v2\ndesired: 3\nnext: mark\n',
  ],
  [
    'it is not stuck at one replica: a last old pod that is broken goes for new ones that work',
    `controllers:
- {name: web, hash: v1, replicas: 1, available: 0, record: ${rolling}, partner: web-v2, role: old, desired: 0}}
- {name: web-v2, hash: v2, replicas: 3, base: web, record: ${rolling}, partner: web, role: new, desired: 3}}
command: resume
name: web`,
    'direction: forward\nleaving: web\nstaying: web-v2\ndesired: 3\nnext: scale web 0\n',
  ],
  [
    'one replica is rolled with one more',
    `controllers:
- {name: web, hash: v1, replicas: 1, record: {phase: Rolling, id: r1, original: 1, partner: web-v2, role: old, desired: 0}}
- {name: web-v2, hash: v2, replicas: 0, base: web, record: {phase: Rolling, id: r1, original: 1, partner: web, role: new, desired: 1}}
command: resume
name: web`,
    'direction: forward\nleaving: web\nstaying: web-v2\ndesired: 1\nnext: scale web-v2 1\n',
  ],
  [
    'names that begin alike are not its own',
    `controllers:
- {name: web, hash: v1, replicas: 3}
- {name: web-admin, hash: a1, replicas: 0, record: ${rolling}, partner: web-admin-v2, role: old, desired: 0}}
- {name: web-admin-v2, hash: v2, replicas: 3, base: web-admin, record: ${rolling}, partner: web-admin, role: new, desired: 3}}
command: roll
name: web
to: v2`,
    'direction: forward\nleaving: web\nstaying: web-v2\ndesired: 3\nnext: create\n',
  ],
  [
    'asked for v3 it does not go on with v2',
    `controllers:
- {name: web, hash: v1, replicas: 2, record: ${rolling}, partner: web-v2, role: old, desired: 0}}
- {name: web-v2, hash: v2, replicas: 1, base: web, record: ${rolling}, partner: web, role: new, desired: 3}}
command: roll
name: web
to: v3`,
    'is: conflict\n',
  ],
  [
    'asked for v2 again it goes on with it',
    `controllers:
- {name: web, hash: v1, replicas: 2, record: ${rolling}, partner: web-v2, role: old, desired: 0}}
- {name: web-v2, hash: v2, replicas: 1, base: web, record: ${rolling}, partner: web, role: new, desired: 3}}
command: roll
name: web
to: v2`,
    'direction: forward\nleaving: web\nstaying: web-v2\ndesired: 3\nnext: scale web-v2 2\n',
  ],
  [
    'a rollback of which one side knows is gone on with, not fought',
    `controllers:
- {name: web, hash: v1, replicas: 2, record: {phase: Preparing, id: b2, original: 3, partner: web-v2, role: new, desired: 3, direction: back}}
- {name: web-v2, hash: v2, replicas: 1, base: web, record: {phase: Complete, id: r1, original: 3, partner: web, role: new, desired: 3}}
command: resume
name: web`,
    'direction: back\nleaving: web-v2\nstaying: web\ndesired: 3\nnext: mark\n',
  ],
])('%s', (_name, given, expected) => {
  expect(answer(given)).toBe(expected)
})

test('it looks at every container, init containers too', () => {
  const containers = [
    { name: 'web', image: 'web:v1' },
    { name: 'log', image: 'log:v1' },
  ]
  const template = { spec: { containers, initContainers: [{ name: 'setup', image: 'web:v1' }] } }
  expect(changedImages(template, { log: 'log:v2', setup: 'web:v2' })).toEqual({
    containers: [{ name: 'log', image: 'log:v2' }],
    initContainers: [{ name: 'setup', image: 'web:v2' }],
  })
})

test('its timeout counts from the last progress, and its deadline from the beginning', () => {
  let nowMs = 0
  const clock = { ...systemClock, monotonic: () => nowMs }
  const patience = createPatience(clock, { timeoutMs: 1000, deadlineMs: 2500 })
  nowMs += 900
  expect(patience.exhausted()).toBeUndefined()
  patience.progressed()
  nowMs += 900
  expect(patience.exhausted()).toBeUndefined()
  nowMs += 100
  expect(patience.exhausted()).toBe('no-progress')
  patience.progressed()
  nowMs += 600
  expect(patience.exhausted()).toBe('deadline')
})
