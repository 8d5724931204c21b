import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Volume } from '../../../src/api/types.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { containerMounts } from '../../../src/node/volume/container-mounts.ts'
import { PodVolumes } from '../../../src/node/volume/pod-volumes.ts'

let directory: string
let configMaps: Record<string, ConfigMap>
let secrets: Record<string, Secret>
let claims: Record<string, PersistentVolumeClaim>
let persistentVolumes: Record<string, PersistentVolume>
let tokenText: string
let volumes: PodVolumes
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-volumes-'))
  configMaps = {
    settings: { metadata: {}, data: { a: '1', b: '2' }, binaryData: { raw: Buffer.from([0, 255]).toString('base64') } },
  }
  secrets = { key: { metadata: {}, data: { token: Buffer.from('s3cret').toString('base64') } } }
  claims = {}
  persistentVolumes = {}
  tokenText = 'token-1'
  volumes = new PodVolumes({
    directory: join(directory, 'volumes'),
    lookup: {
      configMap: (_, name) => configMaps[name],
      secret: (_, name) => secrets[name],
      claim: (_, name) => claims[name],
      persistentVolume: (name) => persistentVolumes[name],
    },
    tokens: { fetch: async () => {}, get: () => tokenText, dueAtMs: undefined },
    clock: systemClock,
    writes: true,
  })
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const fields = { podIps: [], hostIps: [], allocatable: { cpu: '2' } }
const signal = new AbortController().signal
const podWith = (...list: Volume[]): Pod => ({
  metadata: { name: 'p', namespace: 'ns', labels: { app: 'web' } },
  spec: { volumes: list, containers: [{ name: 'c' }] },
})
const prepare = (...list: Volume[]) => volumes.prepare(podWith(...list), fields, signal)
const pathOf = (name: string) => volumes.mounts.get(name)?.path ?? ''
const read = (name: string, file: string) => readFileSync(join(pathOf(name), file), 'utf8')
const mode = (name: string, file: string) => (statSync(join(pathOf(name), file)).mode & 0o777).toString(8)

describe('volumes made from objects', () => {
  it('hold the keys of a ConfigMap', async () => {
    await prepare({ name: 'v', configMap: { name: 'settings' } })
    expect(read('v', 'a')).toBe('1')
    expect(readFileSync(join(pathOf('v'), 'raw'))).toEqual(Buffer.from([0, 255]))
    expect(mode('v', 'a')).toBe('644')
    expect(readlinkSync(join(pathOf('v'), 'a'))).toBe('..data/a')
    expect(volumes.mounts.get('v')?.readOnly).toBe(true)
  })

  it('hold chosen keys under other names, with modes', async () => {
    const items = [{ key: 'token', path: 'deep/in/here', mode: 0o400 }]
    await prepare({ name: 'v', secret: { secretName: 'key', items } })
    expect(read('v', 'deep/in/here')).toBe('s3cret')
    expect(mode('v', 'deep/in/here')).toBe('400')
    expect(readdirSync(pathOf('v')).filter((name) => !name.startsWith('..'))).toEqual(['deep'])
  })

  it('swap all files at once when the source changes', async () => {
    const pod = podWith({ name: 'v', configMap: { name: 'settings' } })
    await volumes.prepare(pod, fields, signal)
    const before = readlinkSync(join(pathOf('v'), '..data'))
    await volumes.refresh(pod, fields, signal)
    expect(readlinkSync(join(pathOf('v'), '..data'))).toBe(before)
    configMaps = { settings: { metadata: {}, data: { a: '10', c: '3' } } }
    await volumes.refresh(pod, fields, signal)
    expect(readlinkSync(join(pathOf('v'), '..data'))).not.toBe(before)
    expect([read('v', 'a'), read('v', 'c'), existsSync(join(pathOf('v'), 'b'))]).toEqual(['10', '3', false])
    expect(existsSync(join(pathOf('v'), before))).toBe(false)
  })

  it('keep what they had when the source goes away', async () => {
    const pod = podWith({ name: 'v', configMap: { name: 'settings' } })
    await volumes.prepare(pod, fields, signal)
    configMaps = {}
    await expect(volumes.refresh(pod, fields, signal)).rejects.toThrow('configmap "settings" not found')
    expect(read('v', 'a')).toBe('1')
  })

  it('project several sources into one directory', async () => {
    await prepare({
      name: 'v',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token' } },
          { configMap: { name: 'settings', items: [{ key: 'a', path: 'ca.crt' }] } },
          { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          {
            downwardAPI: {
              items: [{ path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu', divisor: '1m' } }],
            },
          },
        ],
      },
    })
    expect([read('v', 'token'), read('v', 'ca.crt'), read('v', 'labels'), read('v', 'cpu')]).toEqual([
      'token-1',
      '1',
      'app="web"',
      '2000',
    ])
  })

  it('are empty when an optional source is missing', async () => {
    await prepare({ name: 'v', secret: { secretName: 'none', optional: true } })
    expect(readdirSync(pathOf('v')).filter((name) => !name.startsWith('..'))).toEqual([])
  })

  for (const [what, volume, message] of [
    ['an absent Secret', { secret: { secretName: 'none' } }, 'MountVolume.SetUp failed for volume "v" : secret "none" not found'],
    [
      'an absent key',
      { configMap: { name: 'settings', items: [{ key: 'x', path: 'x' }] } },
      'references non-existent config key: x',
    ],
    ['a kind that is not served', { nfs: { server: 's', path: '/' } }, 'volume kind nfs is not supported by this node'],
    ['an unbound claim', { persistentVolumeClaim: { claimName: 'none' } }, 'persistentvolumeclaim "none" not found'],
  ] as const) {
    it(`name ${what}`, async () => expect(prepare({ name: 'v', ...volume } as Volume)).rejects.toThrow(message))
  }
})

describe('emptyDir', () => {
  it('is a directory for everybody, and goes with the pod', async () => {
    await prepare({ name: 'v', emptyDir: {} })
    expect((statSync(pathOf('v')).mode & 0o777).toString(8)).toBe('777')
    writeFileSync(join(pathOf('v'), 'file'), 'x')
    await volumes.remove()
    expect(existsSync(join(directory, 'volumes'))).toBe(false)
  })

  it('in memory works, or says that it does not', async () => {
    const notices = await prepare({ name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } })
    const mounted = readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${pathOf('v')} `)
    expect(notices).toHaveLength(mounted ? 0 : 1)
    await volumes.remove()
    expect(existsSync(join(directory, 'volumes'))).toBe(false)
  })
})

describe('hostPath', () => {
  it('is checked against its type, or made', async () => {
    const made = join(directory, 'made')
    await prepare({ name: 'v', hostPath: { path: made, type: 'DirectoryOrCreate' } })
    expect(lstatSync(made).isDirectory()).toBe(true)
    await expect(prepare({ name: 'v', hostPath: { path: made, type: 'File' } })).rejects.toThrow(
      `hostPath type check failed: ${made} is not a file`,
    )
    await prepare({ name: 'v', hostPath: { path: join(directory, 'absent') } })
  })
})

describe('claims', () => {
  it('lead to the path of their volume', async () => {
    claims.data = { metadata: {}, spec: { volumeName: 'pv1' }, status: { phase: 'Bound' } }
    persistentVolumes.pv1 = { metadata: {}, spec: { hostPath: { path: join(directory, 'pv1'), type: 'DirectoryOrCreate' } } }
    await prepare({ name: 'v', persistentVolumeClaim: { claimName: 'data', readOnly: true } })
    expect(volumes.mounts.get('v')).toEqual({ path: join(directory, 'pv1'), readOnly: true })
  })

  it('of other kinds of volume are refused by name', async () => {
    claims.data = { metadata: {}, spec: { volumeName: 'pv1' }, status: { phase: 'Bound' } }
    persistentVolumes.pv1 = { metadata: {}, spec: { capacity: { storage: '1Gi' }, csi: { driver: 'd', volumeHandle: 'h' } } }
    await expect(prepare({ name: 'v', persistentVolumeClaim: { claimName: 'data' } })).rejects.toThrow('volume kind csi')
  })
})

describe('mounts', () => {
  const mounts = (mount: object, variables: Record<string, string> = {}) =>
    containerMounts(
      { name: 'c', volumeMounts: [{ name: 'v', mountPath: '/data', ...mount }] },
      volumes.mounts,
      new Map(Object.entries(variables)),
    )

  it('lead to the volume or a path in it, which is made', async () => {
    await prepare({ name: 'v', emptyDir: {} })
    expect(await mounts({ readOnly: true })).toEqual([{ hostPath: pathOf('v'), containerPath: '/data', readOnly: true }])
    const [mount] = await mounts({ subPathExpr: 'logs/$(POD)' }, { POD: 'p1' })
    expect(mount?.hostPath).toBe(join(pathOf('v'), 'logs/p1'))
    expect(lstatSync(join(pathOf('v'), 'logs/p1')).isDirectory()).toBe(true)
  })

  it('resolve a key of a ConfigMap to its file', async () => {
    await prepare({ name: 'v', configMap: { name: 'settings' } })
    const [mount] = await mounts({ subPath: 'a' })
    expect(readFileSync(mount?.hostPath ?? '', 'utf8')).toBe('1')
    await expect(mounts({ subPath: 'none' })).rejects.toThrow('does not exist')
  })

  it('never leave the volume', async () => {
    await prepare({ name: 'v', emptyDir: {} })
    mkdirSync(join(directory, 'secret'))
    symlinkSync(join(directory, 'secret'), join(pathOf('v'), 'link'))
    await expect(mounts({ subPath: 'link' })).rejects.toThrow('leads out of the volume')
    await expect(mounts({ subPath: 'link/deeper' })).rejects.toThrow('leads out of the volume')
    await expect(mounts({ subPathExpr: '$(X)' }, { X: '../up' })).rejects.toThrow('leaves the volume')
    await expect(mounts({ subPathExpr: '$(NONE)' })).rejects.toThrow('missing value for "NONE"')
    await expect(mounts({ name: 'other' })).rejects.toThrow('cannot find volume "other"')
  })
})
