import { describe, expect, it } from 'vitest'
import type { Container, ContainerStatus, PodSpec } from '../../../src/api/types.ts'
import { podPhase } from '../../../src/node/status/phase.ts'
import { qosClass } from '../../../src/node/status/qos.ts'
import { statusPatch } from '../../../src/node/status/status-patch.ts'

/** `waiting`, `running`, `exited N`, `restarting` (waiting after a run). */
function status(name: string, text: string): ContainerStatus {
  const [state, code] = text.split(' ')
  const terminated = { terminated: { exitCode: Number(code ?? 0) } }
  const states = {
    waiting: { state: { waiting: {} }, lastState: {} },
    running: { state: { running: {} }, lastState: {} },
    exited: { state: terminated, lastState: {} },
    restarting: { state: { waiting: {} }, lastState: terminated },
  }
  const known = states[state as keyof typeof states]
  return { name, ...known, ready: false, started: state === 'running', restartCount: 0, image: '', imageID: '' }
}

describe('phase', () => {
  const spec = (policy: string, init: Container[] = []): PodSpec => ({
    restartPolicy: policy,
    initContainers: init,
    containers: [],
  })
  const main = (...texts: string[]) => texts.map((text, index) => status(`c${index}`, text))
  for (const [policy, texts, over, phase] of [
    ['Always', ['waiting'], false, 'Pending'],
    ['Always', ['running', 'waiting'], false, 'Pending'],
    ['Always', ['running', 'running'], false, 'Running'],
    ['Always', ['running', 'exited 1'], false, 'Running'],
    ['Always', ['restarting 1'], false, 'Running'],
    ['Always', ['exited 0'], false, 'Running'],
    ['OnFailure', ['exited 1'], false, 'Running'],
    ['Never', ['exited 0', 'running'], false, 'Running'],
    ['Never', ['exited 0', 'exited 0'], true, 'Succeeded'],
    ['Never', ['exited 0', 'exited 1'], true, 'Failed'],
    ['Always', ['exited 0'], true, 'Succeeded'],
  ] as const) {
    it(`of ${texts.join(', ')} under ${policy}${over ? ' at the end' : ''} is ${phase}`, () => {
      expect(podPhase(spec(policy), [], main(...texts), over)).toBe(phase)
    })
  }
  it('waits for init containers and started sidecars', () => {
    const init = [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }]
    const phase = (first: string, second: string, policy = 'Always') =>
      podPhase(spec(policy, init), [status('i', first), status('s', second)], main('waiting'), false)
    expect(phase('running', 'waiting')).toBe('Pending')
    expect(phase('exited 0', 'running')).toBe('Pending')
    expect(phase('exited 1', 'waiting')).toBe('Pending')
    expect(phase('exited 1', 'waiting', 'Never')).toBe('Failed')
  })
})

describe('quality of service', () => {
  const qos = (...list: NonNullable<Container['resources']>[]) =>
    qosClass({ metadata: {}, spec: { containers: list.map((resources, index) => ({ name: `c${index}`, resources })) } })
  const full = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }
  it('follows requests and limits', () => {
    expect(qos({})).toBe('BestEffort')
    expect(qos({ requests: { cpu: '0' } })).toBe('BestEffort')
    expect(qos(full, { limits: full.limits })).toBe('Guaranteed')
    expect(qos(full, {})).toBe('Burstable')
    expect(qos({ limits: { cpu: '1' } })).toBe('Burstable')
    expect(qos({ ...full, requests: { cpu: '500m' } })).toBe('Burstable')
  })
})

describe('status patch', () => {
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: 't1' }
  it('holds what changed and nothing else', () => {
    const before = { phase: 'Pending', conditions: [ready, { type: 'Other', status: 'True' }], startTime: 's' }
    const after = { phase: 'Running', conditions: [ready, { type: 'Other', status: 'True' }], startTime: 's' }
    expect(statusPatch(before, after)).toEqual({ phase: 'Running' })
    expect(statusPatch(after, after)).toBeUndefined()
    const nulls = { conditions: [{ ...ready, lastProbeTime: null }] } as never
    expect(statusPatch(nulls, { conditions: [ready] })).toBeUndefined()
  })
  it('names conditions that changed, and takes away what they no longer have', () => {
    const unready = { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm', lastTransitionTime: 't0' }
    expect(statusPatch({ conditions: [unready] }, { conditions: [ready] })).toEqual({
      conditions: [{ ...ready, reason: null, message: null }],
    })
  })
  it('leaves the time of a condition that is as it was, whenever it was decided', () => {
    const later = { ...ready, lastTransitionTime: 't9' }
    expect(statusPatch({ conditions: [ready] }, { conditions: [later] })).toBeUndefined()
    const told = { ...later, message: 'm' }
    expect(statusPatch({ conditions: [ready] }, { conditions: [told] })).toEqual({ conditions: [{ ...ready, message: 'm' }] })
  })
  it('replaces addresses, which are merged by value', () => {
    expect(statusPatch({ podIPs: [{ ip: 'a' }] }, { podIPs: [{ ip: 'b' }] })).toEqual({
      podIPs: [{ ip: 'b' }, { ip: 'a', $patch: 'delete' }],
    })
  })
})
