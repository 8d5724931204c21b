import { describe, expect, it } from 'vitest'
import type { Pod } from '../../../src/api/types.ts'
import { checkChoice, chosenContainers, noContainer } from '../../../src/cli/logs/containers.ts'
import { runOf } from '../../../src/cli/logs/runs.ts'

const container = (name: string) => ({ name, image: 'i' })
const pod = (initContainers: string[], containers: string[], annotations = {}): Pod => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', annotations } },
  spec: { initContainers: initContainers.map(container), containers: containers.map(container) },
})

describe('containers', () => {
  const both = pod(['pre-start-app', 'setup'], ['proxy', 'app', 'app-log'])

  it('are the default one, those of a name, of a pattern, or all', () => {
    expect(chosenContainers(both, {})).toEqual({
      names: ['proxy'],
      note: 'Defaulted container "proxy" out of: proxy, app, app-log, pre-start-app, setup',
    })
    const preferring = pod([], ['proxy', 'app'], { 'kubectl.kubernetes.io/default-container': 'app' })
    expect(chosenContainers(preferring, {})).toEqual({ names: ['app'] })
    expect(chosenContainers(both, { container: 'app' }).names).toEqual(['app'])
    expect(chosenContainers(both, { container: 'app.*' }).names).toEqual(['app', 'app-log'])
    expect(chosenContainers(both, { container: 'ap' }).names).toEqual([])
    expect(chosenContainers(both, { allContainers: true }).names).toHaveLength(5)
    expect(noContainer(both, { container: 'ap' }).message).toContain('container ap not found in pod p (it has: pre-start-app')
    expect(() => checkChoice({ container: '(' })).toThrow('neither a name nor a regular expression')
    expect(() => checkChoice({ container: 'a', allContainers: true })).toThrow('cannot be given together')
  })

  it('of a stage are the hooks, and nobody is told which container is the default', () => {
    expect(chosenContainers(both, { stage: 'pre-start' })).toEqual({ names: ['pre-start-app'] })
    expect(chosenContainers(both, { stage: 'pre-start', container: 'app' }).names).toEqual(['pre-start-app'])
    expect(chosenContainers(both, { stage: 'pre-start', container: 'proxy' }).names).toEqual([])
    expect(noContainer(both, { stage: 'pre-start', container: 'proxy' }).message).toBe(
      'container proxy of pod p has no pre-start hook; see the annotation skiff.dev/pre-start.proxy',
    )
  })
})

describe('runs', () => {
  const statusOf = (state: object, lastState?: object): Pod => {
    const status = { name: 'c', ready: false, restartCount: 1, image: 'i', imageID: '', containerID: 'x://2' }
    return { ...pod([], ['c']), status: { containerStatuses: [{ ...status, state, ...(lastState && { lastState }) }] } }
  }
  const last = { terminated: { exitCode: 1, reason: 'Error', containerID: 'x://1' } }

  it('are told apart by what the status says', () => {
    expect(runOf(pod([], ['c']), 'c')).toBeUndefined()
    expect(runOf(statusOf({ waiting: { reason: 'ContainerCreating' } }), 'c')).toBeUndefined()
    const before = { id: 'x://1', ended: 'exit code 1 (Error)' }
    expect(runOf(statusOf({ running: {} }, last), 'c')).toEqual({ id: 'x://2', before })
    expect(runOf(statusOf({ waiting: { reason: 'CrashLoopBackOff' } }, last), 'c')).toEqual(before)
    const killed = { terminated: { exitCode: 137, signal: 9, containerID: 'x://2' } }
    expect(runOf(statusOf(killed), 'c')).toEqual({ id: 'x://2', ended: 'signal 9' })
  })
})
