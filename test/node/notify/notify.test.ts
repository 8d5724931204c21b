import { describe, expect, it } from 'vitest'
import { ContainerNotify } from '../../../src/node/notify/container-notify.ts'
import { parseNotification } from '../../../src/node/notify/message.ts'
import { type NotifyState, noted } from '../../../src/node/notify/state.ts'
import { runningLimit } from '../../../src/node/plan/stages.ts'
import type { ContainerMemory, PlanInput } from '../../../src/node/plan/types.ts'
import { createManualClock } from '../support/manual-clock.ts'

describe('a notification', () => {
  it('is read line by line, and what is strange is left out', () => {
    const text =
      'READY=1\nSTATUS=a=b\nMAINPID=42\nERRNO=x\nWATCHDOG=trigger\nX_OWN=1\nBARRIER=1\nnothing\nRELOADING=0\n__proto__=1'
    expect(parseNotification(text)).toEqual({ ready: true, status: 'a=b', mainPid: 42, watchdog: 'trigger', barrier: true })
    expect(parseNotification('RELOADING=1\nMONOTONIC_USEC=123\nEXTEND_TIMEOUT_USEC=9\nWATCHDOG_USEC=7')).toEqual({
      ...{ reloading: true, monotonicUsec: 123, extendUsec: 9, watchdogUsec: 7 },
    })
    expect(parseNotification(`STATUS=${'x'.repeat(4000)}`).status).toHaveLength(512)
  })
})

function said(...messages: [text: string, atMs: number][]): NotifyState {
  return messages.reduce((state, [text, atMs]) => noted(state, parseNotification(text), atMs), { attempt: 0 } as NotifyState)
}

describe('what a container has said', () => {
  it('goes on from message to message', () => {
    expect(said(['STATUS=up', 1], ['READY=1', 5], ['READY=1', 9])).toEqual({ attempt: 0, status: 'up', readyAtMs: 5 })
    expect(said(['READY=1', 5], ['RELOADING=1\nMONOTONIC_USEC=7', 9])).toMatchObject({ reloading: true, reloadedUsec: 7 })
    expect(said(['READY=1', 5], ['RELOADING=1', 9], ['READY=1', 10])).not.toHaveProperty('reloading')
    expect(said(['EXTEND_TIMEOUT_USEC=2000000', 1000])).toMatchObject({ extendedUntilMs: 3000 })
    expect(said(['EXTEND_TIMEOUT_USEC=2000000', 1000], ['READY=1', 1500])).not.toHaveProperty('extendedUntilMs')
  })

  it('keeps its watchdog from READY on', () => {
    expect(said(['WATCHDOG_USEC=2000000', 0])).not.toHaveProperty('watchdogDueMs')
    expect(said(['WATCHDOG_USEC=2000000', 0], ['READY=1', 100])).toMatchObject({ watchdogDueMs: 2100 })
    expect(said(['WATCHDOG_USEC=2000000', 0], ['READY=1', 100], ['STATUS=x', 500])).toMatchObject({ watchdogDueMs: 2100 })
    expect(said(['WATCHDOG_USEC=2000000', 0], ['READY=1', 100], ['WATCHDOG=1', 500])).toMatchObject({ watchdogDueMs: 2500 })
    expect(said(['WATCHDOG_USEC=2000000', 0], ['READY=1', 100], ['WATCHDOG_USEC=0', 500])).not.toHaveProperty('watchdogDueMs')
  })
})

describe('news of a container', () => {
  it('come at once when they change something, and at a pace when they are words', async () => {
    const clock = createManualClock()
    const news: NotifyState[] = []
    const notify = new ContainerNotify({ attempt: 0, watchdogMs: undefined, clock, onNews: (state) => news.push(state) })
    for (let i = 0; i < 100; i += 1) notify.take(`STATUS=${i}`)
    expect(news).toHaveLength(0)
    await clock.advance(500)
    expect(news.map(({ status }) => status)).toEqual(['99'])
    notify.take('READY=1\nSTATUS=go')
    expect(news.at(-1)).toMatchObject({ status: 'go' })
    notify.close()
    notify.take('STATUS=late')
    await clock.advance(1000)
    expect(news).toHaveLength(2)
  })

  it('tell of a watchdog that bites, once', async () => {
    const clock = createManualClock()
    const news: NotifyState[] = []
    const notify = new ContainerNotify({ attempt: 0, watchdogMs: 1000, clock, onNews: (state) => news.push(state) })
    await clock.advance(5000)
    notify.take('READY=1')
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(800)
      notify.take('WATCHDOG=1')
    }
    expect(news.some(({ dead }) => dead)).toBe(false)
    await clock.advance(1000)
    expect(news.filter(({ dead }) => dead)).toHaveLength(1)
  })
})

describe('the ready stage of a running container', () => {
  const container = {
    name: 'a',
    startupProbe: { periodSeconds: 10, failureThreshold: 6, initialDelaySeconds: 5, timeoutSeconds: 1 },
  }
  const state = { id: 'a#0', name: 'a', attempt: 0, image: '', imageId: '', state: 'Running', startedAtMs: 1000 } as const
  const limit = (known: ContainerMemory, probed: boolean) => {
    const memory = { containers: { a: known }, timeouts: { a: { ready: 10_000 } }, health: {} }
    const input = { memory, nowMs: 2000 } as unknown as PlanInput
    return runningLimit(input, probed ? container : { name: 'a' }, 'main', { ...state, logPath: '', labels: {} })
  }

  it('ends after its timeout, or what was asked for beyond it', () => {
    expect(limit({}, false)).toEqual({ stage: 'ready', atMs: 11_000 })
    expect(limit({ notify: { attempt: 0 } }, false)).toEqual({ stage: 'ready', atMs: 11_000 })
    expect(limit({ notify: { attempt: 0, extendedUntilMs: 15_000 } }, false)).toEqual({ stage: 'ready', atMs: 15_000 })
  })

  it('does not cut off what a startup probe was given', () => {
    expect(limit({}, true)).toEqual({ stage: 'ready', atMs: 1000 + 5000 + 60_000 + 1000 })
  })

  it('is over once it was ready', () => {
    expect(limit({ wasReady: 0 }, true)).toBeUndefined()
    expect(limit({ wasReady: 0, notify: { attempt: 0, readyAtMs: 1500 } }, true)).toBeUndefined()
    expect(limit({ starting: true }, true)).toBeUndefined()
  })
})
