/** What only the disk driver does: it outlives its process, keeps others out of its directory, and survives a full disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDiskStore } from '../../src/store/disk.ts'
import { KeyExists, RevisionCompacted, StoreUnavailable, WriteFailed } from '../../src/store/errors.ts'
import { temporaryDirectory, text } from './drivers.ts'

const WEB = 'core/pods/default/web'

let parent: string
let directory: string
const children: ChildProcess[] = []

beforeEach(() => {
  parent = temporaryDirectory()
  directory = join(parent, 'store')
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(parent, { recursive: true })
})

/** A process that holds the directory until it is killed. */
async function holdElsewhere(): Promise<{ pid: number; kill: () => Promise<unknown> }> {
  const script = join(import.meta.dirname, 'crash-writer.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout, 'data')
  child.stdout.resume()
  const exit = once(child, 'exit')
  return {
    pid: child.pid!,
    kill: () => {
      child.kill('SIGKILL')
      return exit
    },
  }
}

describe('reopening', () => {
  test('continues: entries, revisions, and watches from the last revision', async () => {
    const before = await openDiskStore(directory)
    for (let i = 0; i < 20; i++) await before.create(`core/pods/ns-${i % 3}/p${i}`, text(`p${i}`))
    await before.update('core/pods/ns-0/p0', 2, text('changed'))
    await before.delete('core/pods/ns-1/p1', 3, text('gone'))
    const entries = before.list('core/pods/').entries.map(({ key, value, revision }) => ({ key, value: String(value), revision }))
    await before.close()

    const after = await openDiskStore(directory)
    expect(after.list('core/pods/').entries.map(({ key, value, revision }) => ({ key, value: String(value), revision }))).toEqual(
      entries,
    )
    expect([after.revision, after.compactedRevision]).toEqual([23, 23])
    const seen: number[] = []
    expect(() => after.watch('core/pods/', 22, () => {})).toThrow(RevisionCompacted)
    after.watch('core/pods/', 23, (events) => seen.push(...events.map(({ entry }) => entry.revision)))
    await after.create(WEB, text('web'))
    expect(seen).toEqual([24])
    await after.close()
  })

  test('remembers the revision of a delete that left nothing behind', async () => {
    const before = await openDiskStore(directory)
    await before.create(WEB, text('one'))
    await before.delete(WEB, 2, text('gone'))
    await before.close()
    const after = await openDiskStore(directory)
    expect(after.revision).toBe(3)
    expect(after.get(WEB)).toBeUndefined()
    await after.close()
  })

  test('works in a directory with a dot in its name, which is its owner’s alone', async () => {
    const dotted = join(parent, 'data.v1')
    const store = await openDiskStore(dotted)
    await store.create(WEB, text('one'))
    await store.close()
    expect(statSync(dotted).mode & 0o777).toBe(0o700)
    expect(statSync(join(dotted, 'data.mdb')).mode & 0o777).toBe(0o600)
    expect(readdirSync(dotted).sort()).toEqual(['FORMAT', 'data.mdb', 'lock.mdb'])
  })
})

test('events of one batch come in one call, in revision order', async () => {
  const store = await openDiskStore(directory)
  const calls: number[][] = []
  store.watch('core/pods/', 1, (events) => calls.push(events.map(({ entry }) => entry.revision)))
  await Promise.all(Array.from({ length: 100 }, (_, i) => store.create(`core/pods/default/${i}`, text('x'))))
  expect(calls.flat()).toEqual(Array.from({ length: 100 }, (_, i) => i + 2))
  expect(calls.length).toBeLessThan(10)
  await store.close()
})

test('a write is not visible before it is durable', async () => {
  const store = await openDiskStore(directory)
  const write = store.create(WEB, text('one'))
  expect(store.get(WEB)).toBeUndefined()
  expect(store.revision).toBe(1)
  await write
  expect(store.get(WEB)).toBeDefined()
  await store.close()
})

describe('two owners', () => {
  test('of this process: the second is refused, until the first lets go', async () => {
    const first = await openDiskStore(directory)
    await expect(openDiskStore(directory)).rejects.toThrow(/in use by this process\. Close that store first/)
    await first.create(WEB, text('one'))
    await first.close()
    const second = await openDiskStore(directory)
    expect(second.get(WEB)).toBeDefined()
    await second.close()
  })

  test('of two processes: refused with the other’s id and what to do, until it is killed', async () => {
    const owner = await holdElsewhere()
    await expect(openDiskStore(directory)).rejects.toThrow(StoreUnavailable)
    await expect(openDiskStore(directory)).rejects.toThrow(
      `data directory ${directory} is in use by process ${owner.pid}. Stop it (kill ${owner.pid}), or choose another directory`,
    )
    await owner.kill()
    expect(readdirSync(directory).filter((name) => name.startsWith('owner-'))).toHaveLength(1)
    const store = await openDiskStore(directory)
    expect(readdirSync(directory).filter((name) => name.startsWith(`owner-${owner.pid}-`))).toEqual([])
    await store.close()
  })

  test('the file of another process that has this one’s id by now does not count', async () => {
    mkdirSync(directory)
    writeFileSync(join(directory, `owner-${process.ppid}-00000000.1-1.lock`), '')
    writeFileSync(join(directory, `owner-${process.pid}-00000000.1-1.lock`), '')
    const store = await openDiskStore(directory)
    await store.close()
    expect(readdirSync(directory).filter((name) => name.startsWith('owner-'))).toEqual([])
  })
})

describe('a directory that cannot be used is refused by name, and left as it was:', () => {
  const contents = () =>
    Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'latin1')]))

  test.each([
    [
      'a newer format',
      { FORMAT: 'skiff store, format 2\n', 'data.mdb': 'whatever' },
      /is of format 2, this version of skiff knows format 1/,
    ],
    ['a format file of somebody else', { FORMAT: 'ntfs' }, /FORMAT is not one of skiff's/],
    ['somebody else’s database', { 'data.mdb': 'x' }, /holds a database that is not skiff's/],
    ['a damaged database', { FORMAT: 'skiff store, format 1\n', 'data.mdb': 'x'.repeat(8192) }, /data\.mdb is damaged/],
  ])('%s', async (_, files, message) => {
    mkdirSync(directory)
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
    const before = contents()
    const error = await openDiskStore(directory).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(StoreUnavailable)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).toContain(directory)
    expect(contents()).toEqual(before)
  })

  test('a file', async () => {
    writeFileSync(directory, 'not a directory')
    await expect(openDiskStore(directory)).rejects.toThrow(`cannot open data directory ${directory}`)
    expect(readFileSync(directory, 'utf8')).toBe('not a directory')
  })

  test('a place that is not writable', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may write everywhere')
    mkdirSync(directory, { mode: 0o500 })
    await expect(openDiskStore(directory)).rejects.toThrow(/EACCES/)
  })
})

describe('a full disk', () => {
  let mounted = false
  beforeEach((context) => {
    mkdirSync(directory)
    mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]).status === 0
    if (!mounted) context.skip('needs to mount a small tmpfs, which takes root')
  })
  afterEach(() => {
    if (mounted) spawnSync('umount', [directory])
    mounted = false
  })

  test('fails the whole batch, shows nothing of it, and writing goes on once there is room', async () => {
    const path = join(directory, 'data')
    let store = await openDiskStore(path)
    const calls: number[] = []
    store.watch('core/pods/', 1, (_, revision) => calls.push(revision))
    let kept = 0
    let failure: unknown
    for (let round = 0; !failure && round < 200; round++) {
      const create = (i: number) => store.create(`core/pods/r${round}/${i}`, () => ({ value: Buffer.alloc(2_000) }))
      const writes = Array.from({ length: 16 }, (_, i) => create(i))
      // Conflicts with a write of the same batch: refused if that one is kept, and tried in its stead if it is not.
      const rival = create(0).catch((error: unknown) => error)
      const failed = (await Promise.allSettled(writes)).filter((write) => write.status === 'rejected')
      expect([0, 16]).toContain(failed.length)
      failure = failed[0]?.reason
      kept += 16 - failed.length
      const answer = await rival
      if (!failure) expect(answer).toBeInstanceOf(KeyExists)
      else if (answer instanceof Error) expect(answer).toBeInstanceOf(WriteFailed)
      else kept += 1
    }
    expect(failure).toBeInstanceOf(WriteFailed)
    expect((failure as Error).message).toBe(`the disk of ${path} is full`)
    expect(kept).toBeGreaterThan(0)
    const check = () => {
      expect(store.list('core/pods/').entries).toHaveLength(kept)
      expect(store.revision).toBe(kept + 1)
    }
    check()
    expect(calls.at(-1)).toBe(kept + 1)

    // Room is made by the store itself: pages that deletes free are used again.
    for (const { key, revision } of store.list('core/pods/r0/').entries) {
      await store.delete(key, revision, () => ({ value: Buffer.alloc(0) }))
    }
    kept -= 16
    expect(store.revision).toBe(kept + 1 + 32)
    await store.create('core/pods/again/1', () => ({ value: Buffer.alloc(2_000) }))
    const revision = store.revision
    await store.close()

    await expect(openDiskStore(path)).rejects.toThrow(`the disk of data directory ${path} is full. Make room and start again`)
    expect(spawnSync('mount', ['-o', 'remount,size=16m', directory]).status).toBe(0)
    store = await openDiskStore(path)
    expect(store.list('core/pods/').entries).toHaveLength(kept + 1)
    expect(store.revision).toBe(revision)
    await store.create('core/pods/again/2', text('x'))
    await store.close()
  })

  test('with no room for a new store is told at the start', async () => {
    writeFileSync(join(directory, 'filler'), Buffer.alloc(3_500_000))
    const path = join(directory, 'data')
    await expect(openDiskStore(path)).rejects.toThrow(StoreUnavailable)
    expect(existsSync(join(path, 'data.mdb'))).toBe(false)
  })
})
