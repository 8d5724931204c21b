import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createAddressPool } from '../../../src/node/runtime/simulated/address-pool.ts'
import { behaviourOf } from '../../../src/node/runtime/simulated/behaviour.ts'
import { interpret } from '../../../src/node/runtime/simulated/commands.ts'
import { createSimulatedRuntime } from '../../../src/node/runtime/simulated/simulated.ts'
import { runtimeContract } from './contract.ts'

const none = 'simulated containers are no processes'
runtimeContract(
  'simulated',
  async () => ({
    runtime: createSimulatedRuntime({ clock: systemClock }),
    image: 'registry.example/busybox:1',
    absentImage: 'registry.invalid/web:1',
    close: async () => {},
  }),
  { logFiles: 'its logs are kept in memory', files: none, attach: none, signals: none, tty: none },
)

describe('behaviour', () => {
  const subject = { namespace: 'default', labels: { app: 'web' }, annotations: {}, container: 'c', image: 'web:2' }
  it('comes from rules, then the pod, then the container', () => {
    const rules = [
      { labels: { app: 'web' }, behaviour: { readyDelayMs: 1, stopDelayMs: 1, exitCode: 1 } },
      { image: /:2$/, behaviour: { stopDelayMs: 2 } },
      { labels: { app: 'other' }, behaviour: { startDelayMs: 9 } },
    ]
    const annotations = {
      'simulated.skiff.dev/exit-code': '3',
      'simulated.skiff.dev/run-for': '1.5s',
      'simulated.skiff.dev/c.run-for': '2m',
      'simulated.skiff.dev/other.run-for': '9h',
      'example.com/x': 'y',
    }
    expect(behaviourOf({ ...subject, annotations }, rules)).toMatchObject({
      startDelayMs: 0,
      readyDelayMs: 1,
      stopDelayMs: 2,
      exitCode: 3,
      runForMs: 120_000,
    })
  })
  it('refuses what it does not know', () => {
    const wrong = (key: string, value: string) => () =>
      behaviourOf({ ...subject, annotations: { [`simulated.skiff.dev/${key}`]: value } }, [])
    expect(wrong('run-for', 'long')).toThrow('"long" is no duration')
    expect(wrong('nope', '1')).toThrow('no such setting')
    expect(wrong('exit-code', 'x')).toThrow('"x" is no number')
  })
})

describe('simulated commands', () => {
  const context = { hostname: 'p', env: [{ name: 'A', value: '1' }] }
  for (const [line, output, code] of [
    ['echo $A \'b c\' "$A"', '1 b c 1\n', 0],
    ['false && echo no; echo yes', 'yes\n', 0],
    ['true && exit 4; echo no', '', 4],
    ['hostname', 'p\n', 0],
  ] as const) {
    it(line, () => expect(interpret(['sh', '-c', line], context)).toMatchObject({ output, code }))
  }
  it('leaves the rest alone', () => {
    expect(interpret(['sh', '-c', 'while true; do x; done'], context)).toBeUndefined()
    expect(interpret(['nginx'], context)).toBeUndefined()
  })
})

describe('address pool', () => {
  it('gives every address once, and freed ones again at the end', () => {
    const pool = createAddressPool('10.1.2.0/29')
    const taken = [1, 2, 3, 4, 5].map(() => pool.take())
    expect(taken).toEqual(['10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.2.5', '10.1.2.6'])
    expect(() => pool.take()).toThrow('no address left in 10.1.2.0/29')
    pool.give('10.1.2.4')
    expect(pool.take()).toBe('10.1.2.4')
  })
})
