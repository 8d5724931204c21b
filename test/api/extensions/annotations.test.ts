import { describe, expect, it } from 'vitest'
import { notifyWishes } from '../../../src/api/extensions/notify.ts'
import { preStartName, preStartWishes } from '../../../src/api/extensions/pre-start.ts'
import { parseStageTimeouts, timeoutWishes } from '../../../src/api/extensions/stage-timeouts.ts'
import { dnsLabel } from '../../../src/api/names.ts'
import type { Pod } from '../../../src/api/types.ts'

const pod = (annotations: Record<string, string>): Pod => ({
  metadata: { name: 'p', annotations },
  spec: {
    initContainers: [{ name: 'setup' }, { name: 'proxy', restartPolicy: 'Always' }],
    containers: [{ name: 'web' }, { name: 'db' }],
  },
})

describe('stage timeouts', () => {
  it.each([
    ['ready: 1m', { ready: 60_000 }],
    ['preStart: 30s, start: 2m30s\nstop: 500ms', { preStart: 30_000, start: 150_000, stop: 500 }],
    ['{ready: 1min 30s, watchdog: "10s"}', { ready: 90_000, watchdog: 10_000 }],
    ['start=20, requires=2h', { start: 20_000, requires: 7_200_000 }],
    ['stop: 1.5s', { stop: 1500 }],
    ['stop: infinity', {}],
  ])('are read from %j', (text, expected) => {
    expect(parseStageTimeouts(text)).toEqual(expected)
  })

  it.each([
    ['', 'names no stage; there are requires, preStart, start, ready, stop, watchdog'],
    ['soon', '"soon" is not of the form STAGE: DURATION'],
    ['redy: 3s', 'there is no stage "redy"; there are'],
    ['ready: 3', ''],
    ['ready: 3 s 4', 'ready: "3 s 4" is no duration; write 500ms, 30s, 1m30s, 2h or infinity'],
    ['ready: -3s', 'is no duration'],
    ['ready: 0', 'ready: a timeout is longer than nothing'],
    ['ready: 40d', 'is longer than 24 days'],
    ['ready: 1s, ready: 2s', 'ready is given twice'],
    // Mostly spaces: what reads it must not try them in every combination.
    [`ready:${' '.repeat(100_000)}""x`, 'is not of the form STAGE: DURATION'],
  ])('are refused in %j: %s', (text, message) => {
    if (message === '') expect(() => parseStageTimeouts(text)).not.toThrow()
    else expect(() => parseStageTimeouts(text)).toThrow(message)
  })

  it('of a container come over those of the pod', () => {
    const wishes = timeoutWishes(pod({ 'skiff.dev/timeouts': 'ready: 1m, stop: 9s', 'skiff.dev/timeouts.db': 'ready: 5m' }))
    expect(wishes.problems).toEqual([])
    expect(wishes.pod).toEqual({ ready: 60_000, stop: 9000 })
    expect(wishes.containers).toEqual(new Map([['db', { ready: 300_000, stop: 9000 }]]))
  })

  it('name what is wrong with them', () => {
    const wishes = timeoutWishes(pod({ 'skiff.dev/timeouts.cache': 'stop: 9s', 'skiff.dev/timeouts.web': 'requires: 1s' }))
    expect(wishes.problems).toEqual([
      { annotation: 'skiff.dev/timeouts.cache', message: 'the pod has no container "cache"' },
      { annotation: 'skiff.dev/timeouts.web', message: "requires is the whole pod's; write it in skiff.dev/timeouts" },
    ])
  })
})

describe('who notifies', () => {
  it('is every main container, or those that are named', () => {
    expect(notifyWishes(pod({})).containers).toEqual(new Set())
    expect(notifyWishes(pod({ 'skiff.dev/notify': 'true' })).containers).toEqual(new Set(['web', 'db']))
    const named = pod({ 'skiff.dev/notify': 'true', 'skiff.dev/notify.db': 'false', 'skiff.dev/notify.proxy': 'true' })
    expect(notifyWishes(named)).toEqual({ containers: new Set(['web', 'proxy']), problems: [] })
  })

  it('is said strictly', () => {
    const { problems } = notifyWishes(
      pod({ 'skiff.dev/notify': 'yes', 'skiff.dev/notify.x': 'true', 'skiff.dev/notify.setup': 'true' }),
    )
    expect(problems.map(({ message }) => message)).toEqual([
      'must be "true" or "false", not "yes"',
      'the pod has no container "x"',
      'init container "setup" is done when it ends; only containers that go on running say that they are ready',
    ])
  })
})

describe('pre-start hooks', () => {
  it('have a command and a failure policy', () => {
    const { hooks, problems } = preStartWishes(
      pod({ 'skiff.dev/pre-start.web': '["migrate", "--all"]', 'skiff.dev/pre-start-failure.web': 'abort' }),
    )
    expect(problems).toEqual([])
    expect(hooks).toEqual([{ container: 'web', command: ['migrate', '--all'], onFailure: 'abort' }])
  })

  it.each([
    [{ 'skiff.dev/pre-start.web': 'migrate' }, 'must be a list of strings, such as ["sh", "-c", "echo hello"]'],
    [{ 'skiff.dev/pre-start.web': '[]' }, 'must be a list of strings'],
    [{ 'skiff.dev/pre-start.x': '["a"]' }, 'the pod has no container "x"'],
    [{ 'skiff.dev/pre-start.web': '["a"]', 'skiff.dev/pre-start-failure.web': 'panic' }, 'must be retry, abort, ignore'],
    [{ 'skiff.dev/pre-start-failure.web': 'abort' }, 'there is no skiff.dev/pre-start.web'],
  ])('%j: %s', (annotations, message) => {
    expect(preStartWishes(pod(annotations as Record<string, string>)).problems[0]?.message).toContain(message)
  })

  it('become init containers whose names are names, and differ', () => {
    expect(preStartName('web')).toBe('pre-start-web')
    const [one, two] = ['a', 'b'].map((end) => preStartName(`${'x'.repeat(62)}${end}`))
    expect(dnsLabel(one ?? '')).toEqual([])
    expect(one).not.toBe(two)
  })
})
