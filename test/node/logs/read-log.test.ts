import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LogOptions } from '../../../src/api/streams.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { type LogSource, readLog } from '../../../src/node/logs/read-log.ts'
import { LogWriter, rotatedName } from '../../../src/node/runtime/log-writer.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-log-'))
  path = join(directory, 'web', '0.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

const still: Omit<LogSource, 'path'> = { isLive: () => false, onChange: () => () => {} }

async function text(options: LogOptions, source = still): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of readLog({ path, ...source }, options, systemClock, new AbortController().signal)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function writer(options: { maxBytes?: number; maxFiles?: number; now?: () => number } = {}): LogWriter {
  return new LogWriter({ path, now: () => Date.UTC(2024, 0, 1), ...options })
}

describe('container logs', () => {
  it('gives back what was written, whatever the chunks', async () => {
    const log = writer()
    for (const chunk of ['one\ntw', 'o\n', 'thr', 'ee\n\n', 'no end']) log.write('stdout', Buffer.from(chunk))
    log.close()
    expect(await text({})).toBe('one\ntwo\nthree\n\nno end')
  })

  it('keeps lines longer than a piece whole', async () => {
    const long = 'x'.repeat(50_000)
    const log = writer()
    log.write('stdout', Buffer.from(`${long}\nshort\n`))
    log.write('stdout', Buffer.from(long.slice(0, 20_000)))
    log.write('stdout', Buffer.from(`${long.slice(20_000)}\n`))
    log.close()
    expect(await text({})).toBe(`${long}\nshort\n${long}\n`)
    expect(await text({ tailLines: 2 })).toBe(`short\n${long}\n`)
    expect(await text({ tailLines: 1, timestamps: true })).toBe(`2024-01-01T00:00:00.000000000Z ${long}\n`)
  })

  it('selects streams, times, amounts', async () => {
    let now = Date.UTC(2024, 0, 1)
    const log = writer({ now: () => now })
    log.write('stdout', Buffer.from('a\n'))
    now += 10_000
    log.write('stderr', Buffer.from('b\n'))
    log.write('stdout', Buffer.from('c\n'))
    log.close()
    expect(await text({ stream: 'Stderr' })).toBe('b\n')
    expect(await text({ stream: 'Stdout', tailLines: 1 })).toBe('c\n')
    expect(await text({ sinceTime: '2024-01-01T00:00:05Z' })).toBe('b\nc\n')
    expect(await text({ limitBytes: 3 })).toBe('a\nb')
    expect(await text({ tailLines: 0 })).toBe('')
    expect(await text({ tailLines: 99 })).toBe('a\nb\nc\n')
    expect(await text({ sinceSeconds: 1 })).toBe('')
  })

  it('reads across rotated files and keeps no more of them than it should', async () => {
    const log = writer({ maxBytes: 400, maxFiles: 3 })
    for (let i = 0; i < 40; i += 1) log.write('stdout', Buffer.from(`line ${i}\n`))
    log.close()
    expect(existsSync(rotatedName(path, 2))).toBe(true)
    expect(existsSync(rotatedName(path, 3))).toBe(false)
    const lines = (await text({})).trimEnd().split('\n')
    expect(lines.at(-1)).toBe('line 39')
    expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => `line ${40 - lines.length + i}`))
    expect(await text({ tailLines: 15 })).toBe(Array.from({ length: 15 }, (_, i) => `line ${25 + i}\n`).join(''))
  })

  it('finds the last lines of a large file without reading it', async () => {
    const log = writer()
    const block = Buffer.from(Array.from({ length: 1000 }, (_, i) => `filler number ${i}\n`).join(''))
    for (let i = 0; i < 100; i += 1) log.write('stdout', block)
    log.write('stdout', Buffer.from('the end\n'))
    log.close()
    const started = performance.now()
    expect(await text({ tailLines: 2 })).toBe('filler number 999\nthe end\n')
    expect(performance.now() - started).toBeLessThan(200)
  })

  it('follows through rotation until the container has ended', async () => {
    let live = true
    const listeners = new Set<() => void>()
    const source = {
      isLive: () => live,
      onChange: (listener: () => void) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }
    const reading = text({ follow: true }, source)
    const log = writer({ maxBytes: 300 })
    for (let i = 0; i < 30; i += 1) {
      log.write('stdout', Buffer.from(`${i}\n`))
      if (i % 5 === 0) await new Promise(setImmediate)
    }
    log.close()
    live = false
    for (const listener of listeners) listener()
    const lines = (await reading).trimEnd().split('\n')
    // Files that were rotated away before the reader came are gone; from there on nothing is missing.
    expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => String(30 - lines.length + i)))
    expect(lines.length).toBeGreaterThan(5)
  })

  it('skips what is no log line', async () => {
    writer().close()
    appendFileSync(path, 'garbage\n2024-01-01T00:00:00Z stdout F fine\n')
    expect(await text({})).toBe('fine\n')
  })
})
