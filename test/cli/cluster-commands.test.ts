import { describe, expect, it } from 'vitest'
import type { ImageCommands, UpOptions } from '../../src/cli/host.ts'
import { noHost, start } from './command-line.ts'

describe('up, down and status', () => {
  it('hands the flags over and says where the cluster is', async () => {
    let given: UpOptions | undefined
    const up = async (options: UpOptions, _io: unknown, ready: (report: never) => void) => {
      given = options
      ready({ readyMs: 123.4, server: 'https://127.0.0.1:1', contextName: 'skiff', kubeconfig: '/k', notes: ['a note'] } as never)
      return 0
    }
    const args = ['up', '--in-memory', '--nodes', '3', '--runtime', 'simulated', '--controllers', 'off', '--kubeconfig', '/k']
    const { code, out, err } = await start(args, { host: { up } }).done
    expect({ code, err }).toEqual({ code: 0, err: 'note: a note\n' })
    expect(out).toBe('ready in 123 ms\nserver https://127.0.0.1:1, context skiff in /k\nCtrl-C stops it\n')
    expect(given).toEqual({
      ...{ dataDir: undefined, port: undefined, kubeconfig: '/k', runtime: 'simulated', nodes: 3 },
      ...{ inMemory: true, controllers: false, extensions: false, pinImages: 'off', detach: false },
      apiServer: { serviceCaConfigMap: 'openshift-service-ca.crt' },
    })
    await start(['up', '--controllers', 'off', '--service-ca-config-map', ''], { host: { up } }).done
    expect(given).toMatchObject({ apiServer: { serviceCaConfigMap: '' } })
    await start(['up'], { host: { up } }).done
    expect(given).toMatchObject({ apiServer: { serviceCaConfigMap: undefined } })
  })

  it('tells by its exit code whether a cluster runs', async () => {
    const stopped = await start(['status', '--data-dir', '/d'], { host: { status: async ({ dataDir = '' }) => ({ dataDir }) } })
      .done
    expect(stopped).toEqual({ code: 3, out: 'no cluster runs on /d; "skiff up" starts one\n', err: '' })
    expect((await start(['down'], { host: { down: async () => true } }).done).out).toBe('stopped\n')
  })
})

describe('image', () => {
  const summary = { name: 'app:v1', digest: 'sha256:0123456789abcdef', sizeBytes: 12_345_678 }
  const images = (more: Partial<ImageCommands>) => ({ host: { images: () => ({ ...noHost.images({}), ...more }) } })

  it('builds and lists', async () => {
    const build = async ({ directory, entrypoint }: { directory: string; entrypoint: string }) => ({
      ...summary,
      name: `${directory} ${entrypoint}`,
    })
    const args = ['image', 'build', './app', '-t', 'app:v1', '--entrypoint', 'node server.js']
    expect((await start(args, images({ build })).done).out).toBe('./app node server.js sha256:0123456789abcdef (12.3 MB)\n')
    const { out } = await start(['image', 'ls'], images({ list: async () => [summary] })).done
    expect(out).toBe('IMAGE    DIGEST                SIZE      AGE\napp:v1   sha256:0123456789ab   12.3 MB   <unknown>\n')
  })

  it('prints the failure of the store in one line', async () => {
    const remove = () => Promise.reject(new Error('no image "x"'))
    expect(await start(['image', 'rm', 'x'], images({ remove })).done).toEqual({ code: 1, out: '', err: 'error: no image "x"\n' })
  })
})
