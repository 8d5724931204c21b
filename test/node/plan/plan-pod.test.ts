import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import type { PodSpec } from '../../../src/api/types.ts'
import { DEFINITION_LABEL, definitionOf } from '../../../src/node/plan/containers.ts'
import { planPod } from '../../../src/node/plan/plan-pod.ts'
import { grow, waitUntil } from '../../../src/node/plan/restart-backoff.ts'
import type { Action, ContainerMemory, PlanInput, PodJobs, PodMemory } from '../../../src/node/plan/types.ts'
import type { ContainerState, SandboxState } from '../../../src/node/runtime/runtime.ts'

interface Case {
  name: string
  pod: PodSpec
  annotations?: Record<string, string>
  phase?: string
  deletion?: number
  sandbox?: 'Ready' | 'NotReady'
  containers?: string[]
  memory?: Partial<PodMemory>
  jobs?: Partial<PodJobs>
  at?: number
  heldUntil?: number
  actions: Action[]
  waiting?: Record<string, object>
  wakeAt?: number
  ending?: string
}

/** `name#attempt running|exited CODE [@second] [of image]`. */
function container(text: string, spec: PodSpec): ContainerState {
  const match = /^((.+)#(\d+)) (running|exited) ?(\d+)?(?: @(\d+))?(?: ?of (.+))?$/.exec(text)
  if (!match) throw new Error(`no container: ${text}`)
  const [, id = '', name = '', attempt, state, code, at, image] = match
  const definition = [...(spec.initContainers ?? []), ...spec.containers].find((c) => c.name === name) ?? { name }
  const made = image ? { ...definition, image } : definition
  return {
    id,
    name,
    attempt: Number(attempt),
    image: '',
    imageId: '',
    logPath: '',
    labels: { [DEFINITION_LABEL]: definitionOf(made, { metadata: {} }) },
    state: state === 'running' ? 'Running' : 'Exited',
    ...(code !== undefined && { exitCode: Number(code) }),
    ...(at !== undefined && { finishedAtMs: Number(at) * 1000 }),
  }
}

function inputOf(c: Case): PlanInput {
  const sandbox: SandboxState = {
    id: 'sandbox',
    uid: 'u',
    name: 'p',
    namespace: 'default',
    attempt: 0,
    labels: {},
    state: c.sandbox ?? 'Ready',
    ip: '10.0.0.1',
    createdAtMs: 0,
    containers: (c.containers ?? []).map((text) => container(text, c.pod)),
  }
  const remembered = Object.entries(c.memory?.containers ?? {}).map(([name, known]) => {
    const { last, ...rest } = known as unknown as Omit<ContainerMemory, 'last'> & { last?: string }
    return [name, { ...rest, ...(last && { last: container(last, c.pod) }) }] as const
  })
  return {
    pod: {
      metadata: {
        name: 'p',
        namespace: 'default',
        uid: 'u',
        ...(c.annotations && { annotations: c.annotations }),
        ...(c.deletion !== undefined && { deletionTimestamp: 'x', deletionGracePeriodSeconds: c.deletion }),
      },
      spec: c.pod,
      ...(c.phase && { status: { phase: c.phase } }),
    },
    sandboxes: c.containers ? [sandbox] : [],
    memory: {
      acceptedAtMs: 0,
      volumesReady: true,
      nextSandbox: 0,
      health: {},
      ...c.memory,
      containers: Object.fromEntries(remembered),
    },
    jobs: { stopping: {}, ...c.jobs },
    nowMs: (c.at ?? 0) * 1000,
    ...(c.heldUntil !== undefined && { heldUntilMs: c.heldUntil * 1000 }),
  }
}

describe('planPod', () => {
  const cases = load(readFileSync(new URL('plan-pod.yaml', import.meta.url), 'utf8')) as Case[]
  for (const c of cases) {
    it(c.name, () => {
      const plan = planPod(inputOf(c))
      expect(plan.actions).toEqual(c.actions)
      expect(plan.waiting).toEqual(c.waiting ?? {})
      expect(plan.wakeAtMs).toBe(c.wakeAt === undefined ? undefined : c.wakeAt * 1000)
      expect(plan.ending).toBe(c.ending)
    })
  }
})

describe('restart back-off', () => {
  it('doubles from 10 s to 300 s', () => {
    let backoff = grow(undefined, 0, 0)
    const delays = [backoff.delayMs]
    for (let i = 1; i < 8; i += 1) {
      const now = i * 1000
      backoff = grow(backoff, now, now)
      delays.push(backoff.delayMs / 1000)
    }
    expect(delays.slice(1)).toEqual([20, 40, 80, 160, 300, 300, 300])
    expect(waitUntil(backoff, 8000)).toBe(308_000)
    expect(grow(backoff, 700_000, 700_001)).toEqual({ delayMs: 10_000, updatedAtMs: 700_001 })
  })
})
