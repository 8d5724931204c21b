/** The JavaScript client and pods that really run: exec with its exit code, logs that follow, attach, a forwarded port, metrics. Needs Linux and root. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import {
  Attach,
  CoreV1Api,
  Exec,
  KubeConfig,
  Log,
  Metrics,
  PortForward,
  topNodes,
  topPods,
  type V1Status,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noRealPods, type RealPods, realPods } from './support/real-pods.ts'
import { until } from './support/skiff.ts'

/** Answers on a port, and says in its log what came. */
const PROGRAM = `
import { createServer } from 'node:http'
let count = 0
createServer((request, response) => {
  count += 1
  console.log('request', count, request.url)
  response.end('answer ' + count)
}).listen(8080, () => console.log('listening'))
process.on('SIGTERM', () => process.exit(0))
`

const namespace = 'default'
const NODE = process.execPath

let world: RealPods
let config: KubeConfig

describe.skipIf(noRealPods)(`the JavaScript client${noRealPods ? ' (needs Linux and root)' : ''}`, () => {
  beforeAll(async () => {
    world = await realPods()
    await world.buildImage('web:v1', PROGRAM)
    config = new KubeConfig()
    config.loadFromString(world.cluster.kubeconfig())
    await world.run('web', { containers: [{ name: 'main', image: 'web:v1' }] })
    await world.says('web', 'listening')
  })
  afterAll(() => world?.close())

  /** What a command in the pod says and how it ends. */
  async function exec(command: string[], input?: string) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const said = Promise.all([text(stdout), text(stderr)])
    const stdin = input === undefined ? null : Readable.from([input])
    const status = await new Promise<V1Status>((resolve, reject) => {
      new Exec(config).exec(namespace, 'web', 'main', command, stdout, stderr, stdin, false, resolve).catch(reject)
    })
    stdout.end()
    stderr.end()
    const [out, err] = await said
    return { out, err, status }
  }

  it('runs commands, with their output, input and exit code', async () => {
    const fine = await exec([NODE, '-e', 'console.log("out"); console.error("err")'])
    expect(fine).toMatchObject({ out: 'out\n', err: 'err\n', status: { status: 'Success' } })
    const failed = await exec([NODE, '-e', 'process.exit(3)'])
    expect(failed.status).toMatchObject({
      ...{ status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '3' }] } },
    })
    const echo = 'process.stdin.once("data", (data) => { console.log(String(data).toUpperCase()); process.exit() })'
    expect((await exec([NODE, '-e', echo], 'abc')).out).toBe('ABC\n')
  })

  it('follows a log, and forwards a port to what writes it', async () => {
    const log = new PassThrough()
    let seen = ''
    log.on('data', (chunk) => {
      seen += chunk
    })
    const following = await new Log(config).log(namespace, 'web', 'main', log, { follow: true })
    const forwarder = await forward()
    try {
      const { port } = forwarder.address() as AddressInfo
      for (const count of [1, 2]) {
        const response = await fetch(`http://127.0.0.1:${port}/${count}`, { headers: { connection: 'close' } })
        expect(await response.text()).toBe(`answer ${count}`)
      }
      await until('the log has both', () => /request 1 \/1\nrequest 2 \/2\n/.test(seen))
      const last = new PassThrough()
      const lastLine = text(last)
      await new Log(config).log(namespace, 'web', 'main', last, { tailLines: 1 })
      expect(await lastLine).toBe('request 2 /2\n')
    } finally {
      following.abort()
      forwarder.close()
    }
  })

  /** A local port whose connections go to the pod's. */
  async function forward(): Promise<Server> {
    const forwarder = createServer((socket) => {
      new PortForward(config).portForward(namespace, 'web', [8080], socket, null, socket).catch((error) => socket.destroy(error))
    })
    forwarder.listen(0, '127.0.0.1')
    await once(forwarder, 'listening')
    return forwarder
  }

  it('attaches to what a container writes', async () => {
    const stdout = new PassThrough()
    let seen = ''
    stdout.on('data', (chunk) => {
      seen += chunk
    })
    const socket = await new Attach(config).attach(namespace, 'web', 'main', stdout, null, null, false)
    const forwarder = await forward()
    try {
      const { port } = forwarder.address() as AddressInfo
      await (await fetch(`http://127.0.0.1:${port}/attached`, { headers: { connection: 'close' } })).text()
      await until('the output has come', () => seen.includes('/attached'))
    } finally {
      socket.close()
      forwarder.close()
    }
  })

  it('tells what nodes and pods use', async () => {
    const metrics = new Metrics(config)
    const { items } = await metrics.getNodeMetrics()
    expect(items.map(({ metadata, usage }) => [metadata.name, usage.cpu, usage.memory])).toEqual([
      ['skiff', expect.stringMatching(/^\d+[num]?$/), expect.stringMatching(/^\d+[KMG]i$/)],
    ])
    const pods = await metrics.getPodMetrics(namespace)
    expect(pods.items).toEqual([
      expect.objectContaining({ containers: [{ name: 'main', usage: { cpu: expect.any(String), memory: expect.any(String) } }] }),
    ])
    const core = config.makeApiClient(CoreV1Api)
    const [node] = await topNodes(core)
    expect(Number(node?.Memory.Capacity)).toBeGreaterThan(0)
    const [pod] = await topPods(core, metrics, namespace)
    expect(pod?.Pod.metadata?.name).toBe('web')
    // A program of Node holds some megabytes, and waits.
    expect(Number(pod?.Memory.CurrentUsage)).toBeGreaterThan(2 ** 20)
    expect(Number(pod?.CPU.CurrentUsage)).toBeLessThan(1)
  })
})
