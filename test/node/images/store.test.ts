import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openImageStore } from '../../../src/node/images/store.ts'
import { type TarHeader, writeTar } from '../../../src/node/images/tar.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skiff-images-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function makeApp(name = 'app', greeting = 'hello'): string {
  const directory = join(root, name)
  mkdirSync(join(directory, 'lib'), { recursive: true })
  writeFileSync(join(directory, 'server.js'), `console.log(${JSON.stringify(greeting)})\n`)
  writeFileSync(join(directory, 'run.sh'), '#!/bin/sh\n')
  chmodSync(join(directory, 'run.sh'), 0o755)
  writeFileSync(join(directory, 'lib', 'empty'), '')
  symlinkSync('../server.js', join(directory, 'lib', 'link'))
  return directory
}

const entrypoint = ['node', 'server.js']

describe('build', () => {
  test('a folder becomes an image on the host base', async () => {
    const store = openImageStore(join(root, 'data'))
    const image = await store.build({
      directory: makeApp(),
      tag: 'web:v1',
      entrypoint,
      cmd: ['--port', '80'],
      env: { A: 'b' },
      ports: [8080],
      labels: { team: 'x' },
      user: '1000',
    })
    expect(image).toMatchObject({
      id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      digest: expect.stringMatching(/^docker\.io\/library\/web@sha256:/),
      tags: ['web:v1'],
      config: {
        user: '1000',
        env: ['A=b'],
        entrypoint,
        cmd: ['--port', '80'],
        workingDir: '/app',
        exposedPorts: ['8080/tcp'],
        labels: { 'dev.skiff.base': 'host', team: 'x' },
      },
    })
    const { directories, hostBase } = await store.layers(image.id)
    expect(hostBase).toBe(true)
    expect(directories).toHaveLength(1)
    const app = join(directories[0]!, 'app')
    expect(await readFile(join(app, 'server.js'), 'utf8')).toBe('console.log("hello")\n')
    expect((await stat(join(app, 'run.sh'))).mode & 0o777).toBe(0o755)
    expect((await stat(directories[0]!)).mode & 0o777).toBe(0o755)
    expect(await readlink(join(app, 'lib', 'link'))).toBe('../server.js')
    expect(await readdir(join(root, 'data', 'images', 'tmp'))).toEqual([])
  })

  test('equal folders give equal digests, whatever their times', async () => {
    const first = await openImageStore(join(root, 'a')).build({ directory: makeApp('one'), tag: 'web', entrypoint })
    utimesSync(join(makeApp('two', 'hello'), 'server.js'), 1, 1)
    const second = await openImageStore(join(root, 'b')).build({ directory: join(root, 'two'), tag: 'web', entrypoint })
    expect(second.digest).toBe(first.digest)
  })

  test('many builds at once, through several stores on one directory', async () => {
    const directory = makeApp()
    const stores = [1, 2, 3, 4].map(() => openImageStore(join(root, 'data')))
    const images = await Promise.all(stores.map((store, n) => store.build({ directory, tag: `web:v${n}`, entrypoint })))
    expect(new Set(images.map((image) => image.id)).size).toBe(1)
    expect((await stores[0]!.list())[0]?.tags).toEqual(['web:v0', 'web:v1', 'web:v2', 'web:v3'])
  })

  test('an image on another image has both layers and inherits', async () => {
    const store = openImageStore(join(root, 'data'))
    await store.build({ directory: makeApp('one'), tag: 'base', entrypoint, env: { A: '1', B: '1' } })
    const image = await store.build({ directory: makeApp('two', 'bye'), tag: 'top', entrypoint, env: { B: '2' }, base: 'base' })
    expect(image.config.env).toEqual(['A=1', 'B=2'])
    const { directories, hostBase } = await store.layers(image.id)
    expect(hostBase).toBe(true)
    expect(directories.map((path) => readFileSync(join(path, 'app/server.js'), 'utf8'))).toEqual([
      'console.log("bye")\n',
      'console.log("hello")\n',
    ])
  })

  test('refuses what no layer can hold', async () => {
    const directory = makeApp()
    writeFileSync(join(directory, '.wh.x'), '')
    const store = openImageStore(join(root, 'data'))
    await expect(store.build({ directory, tag: 'web', entrypoint })).rejects.toThrow('.wh.')
    await expect(store.build({ directory, tag: 'Web', entrypoint })).rejects.toMatchObject({ reason: 'InvalidImageName' })
    expect(await store.list()).toEqual([])
  })
})

describe('names', () => {
  test('every spelling resolves', async () => {
    const store = openImageStore(join(root, 'data'))
    const image = await store.build({ directory: makeApp(), tag: 'web', entrypoint })
    const digest = image.digest!.split('@')[1]!
    for (const name of [
      'web',
      'web:latest',
      'library/web',
      'docker.io/library/web:latest',
      'index.docker.io/library/web',
      image.id,
      image.id.slice(7),
      image.id.slice(7, 19),
      `web@${digest}`,
      `web:other@${digest}`,
    ])
      expect((await store.resolve(name))?.id, name).toBe(image.id)
    expect(await store.resolve('web:v2')).toBeUndefined()
    expect(await store.resolve(`other@${digest}`)).toBeUndefined()
    for (const bad of ['', 'UP', 'a b', 'a::b', '../x', 'a@sha256:1', 'web:'])
      await expect(store.resolve(bad), bad).rejects.toMatchObject({ reason: 'InvalidImageName' })
  })

  test('a tag that moves leaves the old image findable by id and digest', async () => {
    const store = openImageStore(join(root, 'data'))
    const old = await store.build({ directory: makeApp('one'), tag: 'web:v1', entrypoint })
    const fresh = await store.build({ directory: makeApp('two', 'new'), tag: 'web:v1', entrypoint })
    expect((await store.resolve('web:v1'))?.id).toBe(fresh.id)
    expect(await store.resolve(old.digest!)).toMatchObject({ id: old.id, tags: [], digest: old.digest })
    expect((await store.layers(old.id)).directories).toHaveLength(1)
    expect((await store.remove(old.id)).untagged).toEqual([])
    expect(await store.resolve(old.id)).toBeUndefined()
    expect((await store.layers(fresh.id)).directories).toHaveLength(1)
  })

  test('remove takes one tag, then the image with its files', async () => {
    const store = openImageStore(join(root, 'data'))
    const image = await store.build({ directory: makeApp(), tag: 'web:v1', entrypoint })
    await store.build({ directory: join(root, 'app'), tag: 'web:v2', entrypoint })
    const { directories } = await store.layers(image.id)
    await expect(store.remove(image.id)).rejects.toThrow('several names (web:v1, web:v2)')
    expect(await store.remove('web:v1')).toEqual({ untagged: ['web:v1'], deleted: [] })
    expect(existsSync(directories[0]!)).toBe(true)
    expect((await store.remove('web:v2')).deleted).toHaveLength(3)
    expect(await readdir(join(root, 'data/images/blobs/sha256'))).toEqual([])
    expect(existsSync(directories[0]!)).toBe(false)
    await expect(store.remove('web:v2')).rejects.toThrow('no such image')
  })
})

describe('archives', () => {
  test('build, save, load elsewhere: the same digests and names', async () => {
    const here = openImageStore(join(root, 'here'))
    const one = await here.build({ directory: makeApp('one'), tag: 'web:v1', entrypoint })
    const two = await here.build({ directory: makeApp('two', 'x'), tag: 'localhost:5000/a/b:2', entrypoint })
    const file = join(root, 'out', 'images.tar')
    await here.save(['web:v1', 'localhost:5000/a/b:2'], file)
    const listed = execFileSync('tar', ['tf', file], { encoding: 'utf8' })
    for (const name of ['oci-layout', 'index.json', 'manifest.json']) expect(listed).toContain(name)
    const there = openImageStore(join(root, 'there'))
    const loaded = await there.load(file)
    expect(loaded.map(({ id, digest, tags }) => ({ id, digest, tags }))).toEqual(
      [one, two].map(({ id, digest, tags }) => ({ id, digest, tags })),
    )
    const zipped = openImageStore(join(root, 'zipped'))
    expect((await zipped.load(Readable.from([gzipSync(readFileSync(file))])))[0]?.digest).toBe(one.digest)
  })

  test('a Docker archive, with links between equal layers', async () => {
    const lower = await tarOf([{ name: 'etc/', type: 'directory' }, { name: 'etc/a' }, { name: 'etc/b' }])
    const upper = await tarOf([{ name: 'etc/', type: 'directory' }, { name: 'etc/.wh.a' }, { name: 'etc/c' }])
    const config = imageConfig([lower, upper])
    const archive = await tarOf([
      { name: 'c.json', content: config },
      { name: 'l1/layer.tar', content: lower },
      { name: 'l2/', type: 'directory' },
      { name: 'l2/layer.tar', type: 'symlink', linkname: '../l3/layer.tar' },
      { name: 'l3/layer.tar', content: upper },
      {
        name: 'manifest.json',
        content: JSON.stringify([{ Config: 'c.json', RepoTags: ['os:1'], Layers: ['l1/layer.tar', 'l2/layer.tar'] }]),
      },
    ])
    const store = openImageStore(join(root, 'data'))
    const [image] = await store.load(Readable.from([archive]))
    expect(image).toMatchObject({ id: digestOf(config), tags: ['os:1'] })
    const { directories, hostBase } = await store.layers(image!.id)
    expect(hostBase).toBe(false)
    // Marked for overlayfs where devices can be made, merged elsewhere.
    if (directories.length === 1) expect((await readdir(join(directories[0]!, 'etc'))).sort()).toEqual(['b', 'c'])
    else expect((await stat(join(directories[0]!, 'etc', 'a'))).isCharacterDevice()).toBe(true)
    expect((await store.layers(image!.id)).directories).toEqual(directories)
  })

  test('opaque directories hide what is below', async () => {
    const lower = await tarOf([{ name: 'd/', type: 'directory' }, { name: 'd/old' }])
    const upper = await tarOf([{ name: 'd/', type: 'directory' }, { name: 'd/new' }, { name: 'd/.wh..wh..opq' }])
    const store = openImageStore(join(root, 'data'))
    const [image] = await store.load(Readable.from([await dockerArchive([lower, gzipSync(upper)], imageConfig([lower, upper]))]))
    const { directories } = await store.layers(image!.id)
    expect(await readdir(join(directories[0]!, 'd'))).toEqual(['new'])
  })

  test.each([
    ['../evil', [{ name: '../evil' }]],
    ['a link out', [{ name: 'l', type: 'symlink' as const, linkname: '../../..' }, { name: 'l/evil' }]],
    ['an absolute link', [{ name: 'l', type: 'symlink' as const, linkname: '/' }, { name: 'l/evil' }]],
    ['a hard link out', [{ name: 'l', type: 'link' as const, linkname: '../../../etc/passwd' }]],
  ])('a layer with %s writes nothing outside', async (_, entries) => {
    const layer = await tarOf(entries)
    const store = openImageStore(join(root, 'data'))
    const [image] = await store.load(Readable.from([await dockerArchive([layer], imageConfig([layer]))]))
    const result = await store.layers(image!.id).catch((error: Error) => error)
    if (result instanceof Error) expect(result.message).toContain('leaves the archive')
    else expect(existsSync(join(result.directories[0]!, 'evil'))).toBe(true)
    expect(existsSync(join(root, 'evil'))).toBe(false)
    expect(await readdir(join(root, 'data', 'images', 'tmp'))).toEqual([])
  })

  test('neither modes nor removals reach through links', async () => {
    const outside = join(root, 'outside')
    mkdirSync(outside, { mode: 0o755 })
    writeFileSync(join(outside, 'kept'), '')
    const link = { type: 'symlink' as const, linkname: outside }
    const lower = await tarOf([
      { name: 'd/', type: 'directory', mode: 0o700 },
      { name: 'd', ...link },
      { name: 'e', ...link },
    ])
    const upper = await tarOf([{ name: 'e/.wh.kept' }, { name: 'e/.wh.new' }, { name: 'e/.wh..wh..opq' }])
    const store = openImageStore(join(root, 'data'))
    const [image] = await store.load(Readable.from([await dockerArchive([lower, upper], imageConfig([lower, upper]))]))
    await store.layers(image!.id)
    expect((await stat(outside)).mode & 0o777).toBe(0o755)
    expect(await readdir(outside)).toEqual(['kept'])
  })

  test('damage is noticed', async () => {
    const store = openImageStore(join(root, 'data'))
    const image = await store.build({ directory: makeApp(), tag: 'web', entrypoint })
    const file = join(root, 'web.tar')
    await store.save(['web'], file)
    const bytes = readFileSync(file)
    const at = bytes.indexOf('hello')
    bytes.write('jello', at)
    await expect(openImageStore(join(root, 'b')).load(Readable.from([bytes]))).rejects.toThrow('expected sha256:')
    await expect(openImageStore(join(root, 'b')).load(Readable.from([bytes.subarray(0, 3000)]))).rejects.toThrow()
    await expect(store.load(Readable.from([Buffer.from('no tar')]))).rejects.toThrow()
    expect((await store.list()).map(({ id }) => id)).toEqual([image.id])
  })
})

type Entry = Partial<TarHeader> & { name: string; content?: string | Uint8Array }

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const made = entries.map(({ content, ...header }) => {
    const body = Buffer.from(content ?? (header.type === undefined ? header.name : ''))
    return { header: { size: body.length, ...header }, ...(body.length > 0 ? { body: Readable.from([body]) } : {}) }
  })
  return Buffer.concat(await Readable.from(writeTar(made)).toArray())
}

function imageConfig(layers: readonly Buffer[]): string {
  return JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: layers.map(digestOf) } })
}

function dockerArchive(layers: readonly Buffer[], config: string): Promise<Buffer> {
  const names = layers.map((_, n) => `${n}.tar`)
  const manifest = JSON.stringify([{ Config: 'c.json', RepoTags: ['x:1'], Layers: names }])
  return tarOf([
    ...names.map((name, n) => ({ name, content: layers[n]! })),
    { name: 'c.json', content: config },
    { name: 'manifest.json', content: manifest },
  ])
}

function digestOf(content: string | Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}
