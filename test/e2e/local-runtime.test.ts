/** The local runtime with real processes and namespaces: what it starts, what it says of it, and that nothing stays behind. */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProcessHandle, TerminalSize } from '../../src/api/streams.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { bridgeName } from '../../src/node/runtime/local/bridge.ts'
import type { ImageSource } from '../../src/node/runtime/local/image-source.ts'
import { listenInside } from '../../src/node/runtime/local/listen-inside.ts'
import { createLocalRuntime } from '../../src/node/runtime/local/local.ts'
import { runCommand } from '../../src/node/runtime/local/run-command.ts'
import { childrenOf } from '../../src/node/runtime/local/running-process.ts'
import type {
  ContainerConfig,
  ContainerState,
  ImageState,
  Runtime,
  SandboxConfig,
  SandboxState,
} from '../../src/node/runtime/runtime.ts'

const SERVER = `
const { createServer } = require('node:http')
const fs = require('node:fs')
process.on('SIGTERM', () => { console.log('bye'); process.exit(7) })
createServer((_, res) => res.end(process.env.NAME + ' ' + fs.readFileSync('/etc/hostname', 'utf8'))).listen(8080, () => console.log('up'))
`

const linux = process.platform === 'linux'

describe.skipIf(!linux).each(['namespaces', 'process'] as const)('the local runtime (needs Linux) with %s', (isolation) => {
  let directory: string
  let runtime: Runtime
  let before: string[]
  const image: ImageState = {
    id: 'sha256:app',
    tags: ['app:v1'],
    sizeBytes: 1,
    config: {
      env: ['NAME=image'],
      entrypoint: ['node', 'server.js'],
      cmd: [],
      workingDir: '/app',
      labels: {},
      exposedPorts: [],
      volumes: [],
    },
  }

  beforeAll(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'skiff-local-')))
    before = await traces(directory)
    mkdirSync(join(directory, 'layer/app'), { recursive: true })
    writeFileSync(join(directory, 'layer/app/server.js'), SERVER)
    const images: ImageSource = {
      resolve: (reference) => (reference === image.id || image.tags.includes(reference) ? image : undefined),
      layers: () => ({ directories: [join(directory, 'layer')], hostBase: true }),
      pull: () => Promise.reject(new Error('no registry')),
    }
    const dataDirectory = join(directory, 'data')
    mkdirSync(dataDirectory)
    runtime = await createLocalRuntime({
      dataDirectory,
      ...(isolation === 'process' ? { isolation } : {}),
      clock: systemClock,
      log: silentLog,
      images,
    })
    await runtime.recover()
  })

  afterAll(async () => {
    await runtime?.close({ remove: true })
    expect(readdirSync(join(directory, 'data'))).toEqual([])
    rmSync(directory, { recursive: true, force: true })
    expect(await traces(directory)).toEqual(before)
  })

  const sandbox = (name: string): SandboxConfig => ({
    uid: `uid-${name}`,
    attempt: 0,
    name,
    namespace: 'default',
    hostname: name,
    labels: {},
    hostNetwork: false,
    logDirectory: join(directory, 'logs', name),
  })
  const container = (changes: Partial<ContainerConfig> = {}): ContainerConfig => ({
    name: 'main',
    attempt: 0,
    imageId: image.id,
    image: 'app:v1',
    env: [],
    mounts: [],
    labels: {},
    stdin: false,
    stdinOnce: false,
    tty: false,
    ...changes,
  })

  async function ended(id: string): Promise<ContainerState> {
    let found: ContainerState | undefined
    await expect
      .poll(async () => {
        found = (await runtime.list()).flatMap(({ containers }) => containers).find((one) => one.id === id)
        return found?.state
      })
      .toBe('Exited')
    return found as ContainerState
  }

  async function exec(id: string, command: string[], stdin?: string): Promise<{ code: number; out: string; err: string }> {
    const stdout = new PassThrough()
    const stderr = new PassThrough()
    const io = { stdout, stderr, ...(stdin === undefined ? {} : { stdin: PassThrough.from([Buffer.from(stdin)]) }) }
    const handle = await runtime.exec(id, { command }, io, new AbortController().signal)
    const { code } = await handle.exit
    stdout.end()
    stderr.end()
    return { code, out: await text(stdout), err: await text(stderr) }
  }

  async function fetchFrom(address: string): Promise<string> {
    const socket = await runtime.network.connect(address, 8080)
    socket.write('GET / HTTP/1.0\r\n\r\n')
    return text(socket)
  }

  it('runs pods that listen on the same port, and stops them', async ({ skip }) => {
    if (runtime.info.isolation !== 'namespaces') skip(runtime.info.notice)
    const pods = await Promise.all(['one', 'two'].map((name) => runtime.createSandbox(sandbox(name))))
    const started = await Promise.all(
      pods.map((pod) => runtime.startContainer(pod.id, container({ env: [{ name: 'NAME', value: pod.name }] }))),
    )
    for (const { logPath } of started) await expect.poll(() => readFileSync(logPath, 'utf8')).toContain('stdout F up')
    for (const pod of pods) expect(await fetchFrom(pod.ip)).toContain(`${pod.name} ${pod.name}\n`)

    const [first] = started as [ContainerState]
    expect(await exec(first.id, ['sh', '-c', 'cat; echo oops >&2; exit 5'], 'hello')).toEqual({
      code: 5,
      out: 'hello',
      err: 'oops\n',
    })
    expect((await exec(first.id, ['sh', '-c', 'pwd; hostname; ls / /tmp'])).out).toMatch(/^\/app\none\n/)
    expect((await exec(first.id, ['ls', directory])).code).not.toBe(0)

    const loopback = `require('node:net').createServer((s) => s.end('inside')).listen(9090, '127.0.0.1', () => console.log('up'))`
    const server = new AbortController()
    const output = new PassThrough()
    const handle = await runtime.exec(first.id, { command: ['node', '-e', loopback] }, { stdout: output }, server.signal)
    await once(output, 'data')
    const { duplex } = await runtime.portForward((pods[0] as SandboxState).id, 9090, server.signal)
    expect(await text(duplex)).toBe('inside')
    await expect(runtime.portForward((pods[0] as SandboxState).id, 9091, server.signal)).rejects.toThrow('ECONNREFUSED')
    server.abort()
    expect(await handle.exit).toMatchObject({ code: 137 })

    await runtime.stopContainer(first.id, 5000)
    expect(await ended(first.id)).toMatchObject({ exitCode: 7, reason: 'Error' })
    expect(readFileSync(first.logPath, 'utf8')).toContain('bye')
    for (const pod of pods) await runtime.removeSandbox(pod.id)
    expect(await runtime.list()).toEqual([])
  })

  it('says truly how a container ended', async () => {
    const pod = await runtime.createSandbox(sandbox('ends'))
    const run = async (command: string[], attempt: number) => {
      const { id } = await runtime.startContainer(pod.id, container({ command, attempt, workingDir: '/' }))
      return ended(id)
    }
    expect(await run(['sh', '-c', 'exit 42'], 0)).toMatchObject({ exitCode: 42, reason: 'Error' })
    expect(await run(['true'], 1)).toMatchObject({ exitCode: 0, reason: 'Completed' })
    expect(await run(['sh', '-c', 'kill -9 $$'], 2)).toMatchObject({ exitCode: 137, signal: 9 })
    const { id, logPath } = await runtime.startContainer(
      pod.id,
      container({ command: ['sh', '-c', 'trap "" TERM; echo deaf; sleep 60'], attempt: 3 }),
    )
    await expect.poll(() => readFileSync(logPath, 'utf8')).toContain('deaf')
    const stopping = runtime.stopContainer(id, 30_000)
    await runtime.stopContainer(id, 10)
    await stopping
    expect(await ended(id)).toMatchObject({ exitCode: 137 })
    await runtime.removeSandbox(pod.id)
  })

  it('sends a signal to the process, which goes on', async () => {
    const pod = await runtime.createSandbox(sandbox('hears'))
    const command = ['sh', '-c', 'trap "echo heard" HUP; trap "exit 3" USR1; echo up; while :; do sleep 0.05; done']
    const { id, logPath } = await runtime.startContainer(pod.id, container({ command, workingDir: '/' }))
    await expect.poll(() => readFileSync(logPath, 'utf8'), { timeout: 10_000 }).toContain('up')
    await runtime.signalContainer(id, 'SIGHUP')
    await expect.poll(() => readFileSync(logPath, 'utf8'), { timeout: 10_000 }).toContain('heard')
    await runtime.signalContainer(id, 'SIGUSR1')
    expect(await ended(id)).toMatchObject({ exitCode: 3 })
    await runtime.signalContainer(id, 'SIGHUP')
    await runtime.removeSandbox(pod.id)
  })

  it('gives a container a terminal, and joins it', async ({ skip }) => {
    if (runtime.info.isolation !== 'namespaces') skip(runtime.info.notice)
    const pod = await runtime.createSandbox(sandbox('terminal'))
    const command = ['sh', '-c', 'test -t 0 && test -t 1 && read line && echo got $line; exit 9']
    const { id } = await runtime.startContainer(pod.id, container({ command, tty: true, stdin: true, stdinOnce: true }))
    const stdout = new PassThrough()
    const stdin = new PassThrough()
    const handle = await runtime.attach(id, { tty: true, stdin: true }, { stdin, stdout }, new AbortController().signal)
    stdin.write('this\n')
    expect(await handle.exit).toEqual({ code: 9 })
    stdout.end()
    expect(await text(stdout)).toContain('got this')
    await runtime.removeSandbox(pod.id)
  })

  it("joins a container's terminal before it starts, gives it sizes, and signals what runs on it", async ({ skip }) => {
    if (runtime.info.isolation !== 'namespaces') skip(runtime.info.notice)
    const pod = await runtime.createSandbox(sandbox('held'))
    const stdout = new PassThrough()
    let printed = ''
    stdout.on('data', (chunk) => {
      printed += chunk
    })
    const sizes = new PassThrough({ objectMode: true })
    sizes.write({ columns: 120, rows: 40 })
    const script =
      'trap "stty size" WINCH; trap "echo bye; exit 4" TERM; stty size; seq 1 5000; echo $SHELL; while :; do sleep 0.1; done'
    let handle: ProcessHandle | undefined
    const { id } = await runtime.startContainer(
      pod.id,
      container({ command: ['sh', '-c', script], tty: true, stdin: true, env: [{ name: 'SHELL', value: '/bin/none' }] }),
      {
        io: { stdout, stdin: new PassThrough(), resize: sizes as AsyncIterable<TerminalSize> },
        signal: new AbortController().signal,
        joined: (joined) => {
          handle = joined
        },
      },
    )
    await expect.poll(() => printed).toContain('/bin/none')
    expect(printed.replaceAll('\r', '')).toBe(`40 120\n${[...Array(5000).keys()].map((n) => `${n + 1}\n`).join('')}/bin/none\n`)
    sizes.write({ columns: 90, rows: 30 })
    await expect.poll(() => printed).toContain('30 90')
    await runtime.stopContainer(id, 30_000)
    expect(await handle?.exit).toEqual({ code: 4 })
    expect(printed).toContain('bye')
    await runtime.removeSandbox(pod.id)
  })

  it('loses nothing to a reader that is slow, and does not wait for one that stopped reading', async () => {
    const pod = await runtime.createSandbox(sandbox('slow'))
    const attach = async (command: string, stdout: Writable) => {
      let handle: ProcessHandle | undefined
      const joined = (process: ProcessHandle) => {
        handle = process
      }
      const { id } = await runtime.startContainer(
        pod.id,
        container({ command: ['sh', '-c', command], attempt: count++, workingDir: '/' }),
        { io: { stdout }, signal: new AbortController().signal, joined },
      )
      return { id, handle: handle as ProcessHandle }
    }
    let count = 0
    let bytes = 0
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        setImmediate(done)
      },
    })
    const first = await attach('head -c 3000000 /dev/zero', slow)
    expect(await first.handle.exit).toEqual({ code: 0 })
    expect(bytes).toBe(3_000_000)
    const stuck = await attach('head -c 3000000 /dev/zero; sleep 60', new Writable({ write: () => {} }))
    await runtime.stopContainer(stuck.id, 10)
    expect(await ended(stuck.id)).toMatchObject({ reason: 'Error' })
    await runtime.removeSandbox(pod.id)
  })

  it('gives a command a terminal whose size is known, unknown or too late', async () => {
    const pod = await runtime.createSandbox(sandbox('sizes'))
    const { id } = await runtime.startContainer(pod.id, container({ command: ['sleep', '60'], workingDir: '/' }))
    const stdout = new PassThrough()
    let printed = ''
    stdout.on('data', (chunk) => {
      printed += chunk
    })
    const stdin = new PassThrough()
    const sizes = new PassThrough({ objectMode: true })
    const command = ['sh', '-c', 'echo started; read line; stty size; exit 3']
    const io = { stdin, stdout, resize: sizes as AsyncIterable<TerminalSize> }
    const handle = await runtime.exec(id, { command, tty: true, stdin: true }, io, new AbortController().signal)
    await expect.poll(() => printed).toContain('started')
    // What terminals that are no windows say of themselves.
    sizes.write({ columns: 0, rows: 0 })
    sizes.write({ columns: 101, rows: 33 })
    stdin.write('go\n')
    expect(await handle.exit).toEqual({ code: 3 })
    sizes.end({ columns: 80, rows: 24 })
    expect(printed).toContain('33 101')
    await runtime.removeSandbox(pod.id)
  })

  it('ends a command whose caller goes away before it runs', async () => {
    const pod = await runtime.createSandbox(sandbox('gone'))
    const { id } = await runtime.startContainer(pod.id, container({ command: ['sleep', '60'], workingDir: '/' }))
    for (const tty of [false, true]) {
      const caller = new AbortController()
      const handle = await runtime.exec(id, { command: ['sleep', '61'], tty }, { stdout: new PassThrough() }, caller.signal)
      caller.abort()
      expect(await handle.exit).toMatchObject({ code: 137 })
    }
    await runtime.removeSandbox(pod.id)
  })

  it('kills what takes more memory than it may', async ({ skip }) => {
    if (runtime.info.isolation !== 'namespaces' || runtime.info.notice) skip(runtime.info.notice)
    const pod = await runtime.createSandbox(sandbox('limits'))
    const command = ['node', '-e', 'const kept = []; for (;;) kept.push(Buffer.alloc(2 ** 20, 1))']
    const { id } = await runtime.startContainer(pod.id, container({ command, resources: { memoryLimitBytes: 64 * 2 ** 20 } }))
    expect(await ended(id)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' })
    await runtime.removeSandbox(pod.id)
  })

  it('mounts volumes and keeps to what a container may do', async ({ skip }) => {
    if (runtime.info.isolation !== 'namespaces') skip(runtime.info.notice)
    const pod = await runtime.createSandbox(sandbox('mounts'))
    // A normal user without subordinate ids has one user to run as.
    const user = process.getuid?.() === 0 ? 1234 : 0
    const volume = join(directory, 'volume')
    mkdirSync(volume, { recursive: true })
    writeFileSync(join(volume, 'key'), 'value')
    const { id, logPath } = await runtime.startContainer(
      pod.id,
      container({
        command: ['sh', '-c', 'id -u; cat /var/run/secrets/x/key /one/key; touch /one/key /x /tmp/fine; ls /dev; exec sleep 60'],
        mounts: [
          { hostPath: volume, containerPath: '/var/run/secrets/x', readOnly: true },
          { hostPath: join(volume, 'key'), containerPath: '/one/key', readOnly: true },
        ],
        user: { uid: user, gid: user },
        readOnlyRootFilesystem: true,
        noNewPrivileges: true,
        capabilities: { add: [], drop: ['ALL'] },
      }),
    )
    await expect.poll(() => readFileSync(logPath, 'utf8')).toContain('zero')
    const log = readFileSync(logPath, 'utf8')
    expect(log).toContain(` ${user}\n`)
    expect(log).toContain('valuevalue')
    expect(log).toMatch(/\/one\/key.*(Read-only|denied)/)
    expect(log).toMatch(/\/x.*Read-only/)
    expect(log).toMatch(/\/tmp\/fine.*Read-only/)
    expect((await exec(id, ['sh', '-c', 'id -u; grep -E "CapEff|NoNewPrivs" /proc/self/status'])).out).toMatch(
      user === 0 ? /^0\nCapEff:\s+00000000000400c0\nNoNewPrivs:\s+1/ : /^1234\nCapEff:\s+0+\nNoNewPrivs:\s+1/,
    )
    await runtime.removeSandbox(pod.id)
  })
})

describe.skipIf(!linux)('a listener that a helper hands over', () => {
  it.each([true, false])("is this process's own (with Perl, where there is some: %s)", async (tryPerl) => {
    const server = await listenInside(['env'], '127.0.0.1', 0, { tryPerl })
    server.on('connection', (socket) => socket.end('here'))
    const { port } = server.address() as AddressInfo
    expect(await text(connect(port, '127.0.0.1'))).toBe('here')
    await expect(listenInside(['env'], '127.0.0.1', port, { tryPerl })).rejects.toThrow('EADDRINUSE')
    server.close()
  })
})

/** What a runtime could leave on the host. Other clusters may run here meanwhile, so that only its own traces count. */
async function traces(directory: string): Promise<string[]> {
  const bridge = bridgeName(join(directory, 'data'))
  const links = await runCommand('ip', ['-o', 'link'])
  const routes = await runCommand('ip', ['route', 'show', 'table', 'all'])
  const lines = `${readFileSync('/proc/mounts', 'utf8')}${links}${routes}`.split('\n')
  const found = lines.filter((line) => line.includes(bridge) || line.includes(directory))
  return [...found, ...descendants(process.pid).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))]
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)])
}
