import { get } from 'node:https'
import { afterEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { flowControlObjects } from '../../../src/server/bootstrap/flow-control.ts'
import { FlowControl } from '../../../src/server/fairness/flow-control.ts'
import { encoderOf } from '../../../src/server/objects/codec.ts'
import { createReader } from '../../../src/server/reader.ts'
import { parseTarget } from '../../../src/server/request/target.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { startServer } from '../start-server.ts'

const GROUP = 'flowcontrol.apiserver.k8s.io'
const never = () => new AbortController().signal
const target = parseTarget('GET', '/api/v1/namespaces/default/pods', false)
const user = (name: string, ...groups: string[]) => ({ name, groups: [...groups, 'system:authenticated'] })

let flow: FlowControl | undefined
afterEach(() => flow?.stop())

async function control(objects: KubeObject[], seats: number): Promise<FlowControl> {
  const store = createMemoryStore()
  for (const object of objects) {
    const plural = object.kind === 'FlowSchema' ? 'flowschemas' : 'prioritylevelconfigurations'
    await store.create(`${GROUP}/${plural}/${object.metadata.name}`, encoderOf(structuredClone(object)))
  }
  flow = new FlowControl({ reader: createReader(store), clock: systemClock, seats })
  return flow
}

function level(name: string, more: object): KubeObject {
  const limited = { nominalConcurrencyShares: 1, lendablePercent: 0, ...more }
  return { apiVersion: `${GROUP}/v1`, kind: 'PriorityLevelConfiguration', metadata: { name }, spec: { type: 'Limited', limited } }
}

function schema(name: string, to: string, group: string): KubeObject {
  const subjects = [{ kind: 'Group', group: { name: group } }]
  const resourceRules = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }]
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'FlowSchema',
    metadata: { name },
    spec: {
      priorityLevelConfiguration: { name: to },
      matchingPrecedence: 100,
      distinguisherMethod: { type: 'ByUser' },
      rules: [{ subjects, resourceRules }],
    },
  }
}

const QUEUE = { type: 'Queue', queuing: { queues: 8, handSize: 2, queueLengthLimit: 2 } }

describe('seats', () => {
  it('are given to those who wait when they become free', async () => {
    const control_ = await control([level('l', { limitResponse: QUEUE }), schema('s', 'l', 'dev')], 1)
    const first = control_.take(user('jane', 'dev'), target, never)
    expect(first).toBeTypeOf('function')
    const second = control_.take(user('joe', 'dev'), target, never)
    expect(second).toBeInstanceOf(Promise)
    ;(first as () => void)()
    ;(await second)()
    expect(control_.take(user('jane', 'dev'), target, never)).toBeTypeOf('function')
  })

  it('are not for what runs long, but a watch waits for one to begin on', async () => {
    const control_ = await control([level('l', { limitResponse: { type: 'Reject' } }), schema('s', 'l', 'dev')], 1)
    const first = control_.take(user('jane', 'dev'), target, never) as () => void
    for (const subresource of ['log', 'exec', 'attach', 'portforward', 'proxy/x/y']) {
      const long = parseTarget('GET', `/api/v1/namespaces/default/pods/p/${subresource}`, false)
      ;(control_.take(user('joe', 'dev'), long, never) as () => void)()
    }
    const watch = parseTarget('GET', '/api/v1/namespaces/default/pods', true)
    await expect(async () => control_.take(user('joe', 'dev'), watch, never)).rejects.toThrow('Too many requests')
    first()
    expect(control_.take(user('joe', 'dev'), watch, never)).toBeTypeOf('function')
  })

  it('that are lent come back', async () => {
    const lender = level('lender', { lendablePercent: 100, limitResponse: QUEUE })
    const objects = [
      lender,
      level('l', { limitResponse: { type: 'Reject' } }),
      schema('s', 'l', 'dev'),
      schema('t', 'lender', 'ops'),
    ]
    const control_ = await control(objects, 2)
    const taken = [1, 2].map(() => control_.take(user('jane', 'dev'), target, never))
    expect(taken.every((seat) => typeof seat === 'function')).toBe(true)
    await expect(async () => control_.take(user('jane', 'dev'), target, never)).rejects.toMatchObject({ code: 429 })
    // The owner of the seat gets it in any case.
    expect(control_.take(user('joe', 'ops'), target, never)).toBeTypeOf('function')
  })

  it('are as good as gone for a client who has left', async () => {
    const control_ = await control([level('l', { limitResponse: QUEUE }), schema('s', 'l', 'dev')], 1)
    const first = control_.take(user('jane', 'dev'), target, never)
    const leaving = new AbortController()
    const second = control_.take(user('joe', 'dev'), target, () => leaving.signal) as Promise<() => void>
    const third = control_.take(user('jim', 'dev'), target, never) as Promise<() => void>
    leaving.abort(new Error('gone'))
    await expect(second).rejects.toThrow('gone')
    ;(first as () => void)()
    ;(await third)()
  })
})

describe('queues', () => {
  it('fill up for one flow, and leave room for another', async () => {
    const control_ = await control([level('l', { limitResponse: QUEUE }), schema('s', 'l', 'dev')], 1)
    expect(control_.take(user('jane', 'dev'), target, never)).toBeTypeOf('function')
    const waiting = Array.from({ length: 4 }, () => control_.take(user('jane', 'dev'), target, never))
    for (const one of waiting) expect(one).toBeInstanceOf(Promise)
    await expect(async () => control_.take(user('jane', 'dev'), target, never)).rejects.toMatchObject({ code: 429 })
    // Hands are dealt by name; among ten users some has a queue that is not full.
    const others = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const seat = control_.take(user(`user-${i}`, 'dev'), target, never) as Promise<unknown>
        return Promise.race([
          seat.then(
            () => 'seated',
            () => 'refused',
          ),
          new Promise((resolve) => setImmediate(() => resolve('waits'))),
        ])
      }),
    )
    expect(others).toContain('waits')
  })
})

describe('the default configuration', () => {
  it('lets administrators through and gives everybody a level', async () => {
    const control_ = await control(flowControlObjects('2026-01-01T00:00:00Z'), 600)
    const admin = user('root', 'system:masters')
    for (let i = 0; i < 1000; i++) expect(control_.take(admin, target, never)).toBeTypeOf('function')
    expect(control_.take(user('jane'), target, never)).toBeTypeOf('function')
  })
})

it('refuses over HTTP with 429 and Retry-After, and knows of a change at once', async () => {
  const server = await startServer()
  try {
    const { url } = await server.server.listen({ host: '127.0.0.1', port: 0 })
    const { certificate, key } = await server.server.issueClientCertificate('jane', ['dev'])
    const ask = () =>
      new Promise<{ status?: number | undefined; retry?: string | undefined }>((resolve, reject) => {
        const options = { ca: server.server.caCertificate, cert: certificate, key, agent: false }
        get(`${url}/api/v1/namespaces/default/pods`, options, (response) => {
          response.resume()
          resolve({ status: response.statusCode, retry: response.headers['retry-after'] })
        }).on('error', reject)
      })
    expect(await ask()).toEqual({ status: 403, retry: undefined })
    const closed = { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } }
    await server.call('POST', `/apis/${GROUP}/v1/prioritylevelconfigurations`, level('closed', closed))
    await server.call('POST', `/apis/${GROUP}/v1/flowschemas`, schema('devs', 'closed', 'dev'))
    expect(await ask()).toEqual({ status: 429, retry: '1' })
    await server.call('DELETE', `/apis/${GROUP}/v1/flowschemas/devs`)
    expect(await ask()).toEqual({ status: 403, retry: undefined })
  } finally {
    await server.close()
  }
})
