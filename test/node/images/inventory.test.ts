import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openImageStore } from '../../../src/node/images/store.ts'
import { imagesOf } from '../../../src/node/self/node-object.ts'
import { until } from '../../controllers/until.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skiff-inventory-'))
  mkdirSync(join(root, 'app'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const build = async (tag: string, content: string) => {
  writeFileSync(join(root, 'app', 'hello'), content)
  const { digest } = await openImageStore(root).build({ directory: join(root, 'app'), tag, entrypoint: ['cat', 'hello'] })
  return digest!
}

it('lists names by tag after what they mean, as another process changes them', async () => {
  const { inventory } = openImageStore(root)
  expect(await inventory.list()).toEqual([])
  let calls = 0
  const end = inventory.onChange(() => {
    calls += 1
  })
  const first = await build('web:v1', 'one')
  await until(() => expect(calls).toBeGreaterThan(0))
  expect(await inventory.list()).toEqual([{ names: [first, 'docker.io/library/web:v1'], sizeBytes: expect.any(Number) }])
  const before = calls
  const second = await build('web:v1', 'two')
  await until(() => expect(calls).toBeGreaterThan(before))
  const names = (await inventory.list()).map((item) => item.names)
  expect(names).toContainEqual([second, 'docker.io/library/web:v1'])
  expect(names).toContainEqual([first])
  expect(await inventory.list()).toBe(await inventory.list())
  end()
})

it('is listed by a Node up to a limit, what has a tag first', () => {
  const untagged = Array.from({ length: 300 }, (_, i) => ({ names: [`a@sha256:${i}`], sizeBytes: 1000 + i }))
  const listed = imagesOf([...untagged, { names: ['b@sha256:0', 'b:v1'], sizeBytes: 1 }])
  expect(listed).toHaveLength(200)
  expect(listed[0]!.names).toEqual(['b@sha256:0', 'b:v1'])
  expect(listed[1]!.sizeBytes).toBe(1299)
})

it('runs what is named by its digest without asking a registry, whatever the policy', async () => {
  const digest = await build('web:latest', 'one')
  const store = openImageStore(root)
  const image = await store.pull(`web:latest@${digest.split('@')[1]}`, { policy: 'Always' })
  expect(image.digest).toBe(digest)
})
