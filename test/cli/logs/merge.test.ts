import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Budget } from '../../../src/cli/logs/budget.ts'
import { type Line, MAX_LINE_BYTES, timedLines } from '../../../src/cli/logs/lines.ts'
import { parseGrep, prefixOf, showLines } from '../../../src/cli/logs/look.ts'
import { type LineSource, mergeByTime } from '../../../src/cli/logs/merge.ts'
import { Output } from '../../../src/cli/logs/output.ts'
import { historyOf, UnreadLines } from '../../../src/cli/logs/read.ts'

const DAY = '2026-01-31T10:00'
const text = (lines: readonly Line[]) => lines.map((line) => line.text.toString()).join('')

/** A log in pieces of so many bytes. */
async function* inPieces(log: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(log)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const read = async (log: string, size = 7): Promise<Line[]> => {
  const lines: Line[] = []
  for await (const batch of timedLines(inPieces(log, size))) lines.push(...batch)
  return lines
}

function sourceOf(log: string, size = 16): LineSource {
  const lines = timedLines(inPieces(log, size))
  return {
    async next() {
      const { done, value } = await lines.next()
      return done ? undefined : value
    },
  }
}

describe('lines', () => {
  it('have their times, whatever pieces they arrive in', async () => {
    for (const size of [1, 2, 5, 31, 1000]) {
      const lines = await read(`${DAY}:01.5Z a b\n${DAY}:01.000000007+02:00 c\nno time\n${DAY}:02Z last`, size)
      expect(lines.map(({ nanos }) => nanos)).toEqual([500_000_000, 7, 7, 0])
      expect(lines[0]!.seconds - lines[1]!.seconds).toBe(7200)
      expect(text(lines)).toBe('a b\nc\nno time\nlast\n')
      expect(lines[1]!.time.toString()).toBe(`${DAY}:01.000000007+02:00 `)
    }
  })

  it('are cut where they would fill the memory', async () => {
    const long = 'x'.repeat(2.5 * MAX_LINE_BYTES)
    const lines = await read(`${DAY}:01Z ${long}\n${DAY}:02Z next\n`, 64 * 1024)
    expect(text(lines).replaceAll('\n', '')).toBe(`${long}next`)
    expect(Math.max(...lines.map((line) => line.text.length))).toBeLessThan(MAX_LINE_BYTES + 64 * 1024 + 2)
    expect(lines.map(({ seconds }) => seconds - lines[0]!.seconds)).toEqual([0, 0, 0, 1])
  })

  it('end at a limit, in the midst of one', async () => {
    const log = `${DAY}:01Z one\n${DAY}:02Z two\n${DAY}:03Z three\n`
    const limited = async (limit: number, countsTimes: boolean) => {
      const lines: Line[] = []
      for await (const batch of new Budget(limit, countsTimes).limited(timedLines(inPieces(log, 1000)))) lines.push(...batch)
      return text(lines)
    }
    expect(await limited(6, false)).toBe('one\ntw\n')
    expect(await limited(8, false)).toBe('one\ntwo\n')
    expect(await limited(27, true)).toBe('one\n\n')
    expect(await limited(1000, true)).toBe('one\ntwo\nthree\n')
  })
})

describe('merging', () => {
  it('goes by time, keeps the order of each log, and is the same every time', async () => {
    const logs = [
      `${DAY}:01Z a1\n${DAY}:04Z a2\n${DAY}:03Z a3 was late\n${DAY}:09Z a4\n`,
      '',
      `${DAY}:01Z c1\n${DAY}:02Z c2\n${DAY}:05Z c3\n`,
      `${DAY}:00.999999999Z d1\n${DAY}:05Z d2\n`,
    ]
    for (const size of [3, 11, 200]) {
      const merged: string[] = []
      for await (const { source, lines } of mergeByTime(logs.map((log) => sourceOf(log, size))))
        for (const line of lines) merged.push(`${source} ${line.text.toString().trim()}`)
      expect(merged).toEqual(['3 d1', '0 a1', '2 c1', '2 c2', '0 a2', '0 a3 was late', '2 c3', '3 d2', '0 a4'])
    }
  })

  it('reads no source further than it must', async () => {
    let pulled = 0
    const endless: LineSource = {
      async next() {
        pulled += 1
        return read(`${DAY}:0${Math.min(9, pulled)}Z line ${pulled}\n`)
      },
    }
    const other = sourceOf(`${DAY}:02Z x\n${DAY}:03Z y\n`, 1000)
    const merged = mergeByTime([endless, other])
    for (let stretch = 0; stretch < 4; stretch++) await merged.next()
    expect(pulled).toBeLessThan(5)
    await merged.return(undefined)
  })
})

describe('the past of a followed log', () => {
  it('ends with the line that was last when it was opened; what follows is still there', async () => {
    const log = new UnreadLines(timedLines(inPieces(`${DAY}:01Z a\n${DAY}:02Z b\n${DAY}:03Z c\n${DAY}:04Z d\n`, 1000)))
    const [, last] = await read(`${DAY}:01Z a\n${DAY}:02Z b\n`)
    const history = historyOf(log, last, 60_000)
    expect(text((await history.next()) ?? [])).toBe('a\nb\n')
    expect(await history.next()).toBeUndefined()
    expect(text((await log.next()) ?? [])).toBe('c\nd\n')
    expect(await log.next()).toBeUndefined()
  })

  it('does not wait for what does not come', async () => {
    let send = (_: Line[]) => {}
    const lines = new Promise<IteratorResult<Line[]>>((resolve) => {
      send = (value) => resolve({ value, done: false })
    })
    const log = new UnreadLines({ next: () => lines })
    const [last] = await read(`${DAY}:01Z a\n`)
    expect(await historyOf(log, last, 1).next()).toBeUndefined()
    expect(await historyOf(log, undefined, 60_000).next()).toBeUndefined()
    // What comes after all is not lost.
    send([last!])
    expect(text((await log.next()) ?? [])).toBe('a\n')
  })
})

describe('the look', () => {
  const look = { prefix: true, colors: false, timestamps: false }
  const shown = async (log: string, more: object) =>
    showLines(await read(log), Buffer.from('> '), { ...look, ...more }).toString()

  it('has prefixes, times, and only what matches', async () => {
    const log = `${DAY}:01Z Error one\n${DAY}:02Z fine\n`
    expect(await shown(log, {})).toBe('> Error one\n> fine\n')
    expect(await shown(log, { timestamps: true })).toBe(`> ${DAY}:01Z Error one\n> ${DAY}:02Z fine\n`)
    expect(await shown(log, { grep: parseGrep('error', { ignoreCase: true }) })).toBe('> Error one\n')
    expect(await shown(log, { grep: parseGrep('^fine$', {}) })).toBe('> fine\n')
    expect(await shown(log, { grep: parseGrep('error', { ignoreCase: true, invertMatch: true }) })).toBe('> fine\n')
    expect(await shown(log, { grep: parseGrep('nothing', {}) })).toBe('')
    expect(() => parseGrep('(', {})).toThrow('--grep "(" is no regular expression')
  })

  it('has colours on a terminal: of each log, and of what matches', async () => {
    const colored = { ...look, colors: true }
    const prefixes = [0, 1, 10].map((position) => prefixOf({ pod: 'p', container: 'c' }, position, colored).toString())
    expect(prefixes[0]).toBe('\x1b[36m[pod/p/c]\x1b[0m ')
    expect(prefixes[1]).not.toBe(prefixes[0])
    expect(prefixes[2]).toBe(prefixes[0])
    expect(prefixOf({ pod: 'p', container: 'c' }, 0, look).toString()).toBe('[pod/p/c] ')
    expect(await shown(`${DAY}:01Z an error, an error\n`, { colors: true, grep: parseGrep('error', {}) })).toBe(
      '> an \x1b[1;31merror\x1b[0m, an \x1b[1;31merror\x1b[0m\n',
    )
    expect(await shown(`${DAY}:01Z abc\n`, { colors: true, grep: parseGrep('x*', {}) })).toBe('> abc\n')
  })
})

it('writes no faster than it is read', async () => {
  const taken: string[] = []
  let release = () => {}
  const slow = new Writable({
    highWaterMark: 4,
    write(chunk, _encoding, done) {
      taken.push(chunk.toString())
      release = done
    },
  })
  const interrupt = new AbortController()
  const output = new Output(slow, interrupt.signal)
  const writes = ['first', 'second', 'third'].map((text) => output.write(Buffer.from(text)))
  const written = await Promise.race([
    Promise.all(writes).then(() => 'all'),
    new Promise((resolve) => setImmediate(resolve, 'waits')),
  ])
  expect({ written, taken, held: slow.writableLength }).toEqual({ written: 'waits', taken: ['first'], held: 5 })
  release()
  await writes[0]
  await expect.poll(() => taken).toEqual(['first', 'second'])
  interrupt.abort()
  await expect(Promise.all(writes)).rejects.toThrow('aborted')
  expect(taken).toEqual(['first', 'second'])
})
