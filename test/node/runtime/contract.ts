/**
 * What every runtime promises, as tests. A runtime calls `runtimeContract` in a test file of its own; what it cannot do is
 * skipped with the reason it gives.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProcessIo } from '../../../src/api/streams.ts'
import {
  type ContainerConfig,
  type ContainerState,
  type Runtime,
  RuntimeError,
  type SandboxConfig,
  type SandboxState,
} from '../../../src/node/runtime/runtime.ts'

export interface ContractSetup {
  runtime: Runtime
  /** An image with /bin/sh, echo, cat, sleep, hostname. */
  image: string
  /** A reference that is well formed and leads nowhere. */
  absentImage: string
  /** Called at the end. */
  close(): Promise<void>
}

export interface ContractSkips {
  /** Why the runtime writes no log files. */
  logFiles?: string
  /** Why containers see no real files, mounts, users. */
  files?: string
  /** Why nothing can be attached to. */
  attach?: string
  /** Why a stopping process cannot trap signals. */
  signals?: string
  /** Why there is no terminal. */
  tty?: string
}

const PATIENCE_MS = 10_000

export function runtimeContract(name: string, make: () => Promise<ContractSetup>, skips: ContractSkips = {}): void {
  describe(`runtime ${name}`, () => {
    let setup: ContractSetup
    let runtime: Runtime
    let directory: string
    let count = 0
    const changes = new Set<string>()
    const unless = (reason: string | undefined) =>
      reason === undefined ? it : (title: string, ..._: unknown[]) => it.skip(`${title} (${reason})`)

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'skiff-runtime-'))
      setup = await make()
      runtime = setup.runtime
      await runtime.recover()
      runtime.onChange((id) => changes.add(id))
    })
    afterAll(async () => {
      await runtime?.close({ remove: true })
      await setup?.close()
      rmSync(directory, { recursive: true, force: true })
    })

    function sandboxConfig(more: Partial<SandboxConfig> = {}): SandboxConfig {
      count += 1
      const uid = `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`
      const pod = `pod-${count}`
      const logDirectory = join(directory, uid, 'logs')
      return {
        uid,
        attempt: 0,
        name: pod,
        namespace: 'default',
        hostname: pod,
        labels: {},
        hostNetwork: false,
        logDirectory,
        ...more,
      }
    }

    async function containerConfig(command: string[], more: Partial<ContainerConfig> = {}): Promise<ContainerConfig> {
      const image = await runtime.ensureImage(setup.image, 'IfNotPresent')
      return {
        name: 'main',
        attempt: 0,
        imageId: image.id,
        image: setup.image,
        command,
        env: [],
        mounts: [],
        labels: { role: 'test' },
        stdin: false,
        stdinOnce: false,
        tty: false,
        ...more,
      }
    }

    async function find(sandboxId: string): Promise<SandboxState | undefined> {
      return (await runtime.list()).find(({ id }) => id === sandboxId)
    }

    async function until(sandboxId: string, holds: (container: ContainerState) => boolean): Promise<ContainerState> {
      const deadline = performance.now() + PATIENCE_MS
      for (;;) {
        const container = (await find(sandboxId))?.containers.find(holds)
        if (container) return container
        if (performance.now() > deadline) throw new Error(`not seen: ${JSON.stringify(await find(sandboxId))}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }

    const ended = (sandboxId: string) => until(sandboxId, ({ state }) => state === 'Exited')

    async function inSandbox(work: (sandbox: SandboxState, config: SandboxConfig) => Promise<void>): Promise<void> {
      const config = sandboxConfig()
      const sandbox = await runtime.createSandbox(config)
      try {
        await work(sandbox, config)
      } finally {
        await runtime.removeSandbox(sandbox.id)
      }
    }

    async function output(
      containerId: string,
      command: string[],
      stdin?: string,
    ): Promise<{ code: number; out: string; err: string }> {
      const io = { stdout: new PassThrough(), stderr: new PassThrough() } satisfies ProcessIo
      const out: Buffer[] = []
      const err: Buffer[] = []
      io.stdout.on('data', (chunk: Buffer) => out.push(chunk))
      io.stderr.on('data', (chunk: Buffer) => err.push(chunk))
      const input = new PassThrough()
      if (stdin !== undefined) input.end(stdin)
      const options = { command, stdin: stdin !== undefined, stdout: true, stderr: true }
      const process = await runtime.exec(
        containerId,
        options,
        { ...io, ...(stdin !== undefined && { stdin: input }) },
        new AbortController().signal,
      )
      const { code } = await process.exit
      await new Promise(setImmediate)
      return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
    }

    it('describes itself', () => {
      expect(runtime.info.version).toMatch(/^[a-z-]+:\/\/\d/)
      expect(runtime.info.capacity.cpuCores).toBeGreaterThan(0)
      expect(runtime.info.capacity.pods).toBeGreaterThan(0)
      if (runtime.info.isolation !== 'namespaces') expect(runtime.info.notice).toBeTruthy()
    })

    it('lists a sandbox from its creation to its removal', async () => {
      await inSandbox(async (sandbox, config) => {
        expect(sandbox).toMatchObject({
          uid: config.uid,
          attempt: 0,
          name: config.name,
          namespace: 'default',
          state: 'Ready',
          containers: [],
        })
        if (runtime.network.reach !== 'none') expect(sandbox.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
        expect(await find(sandbox.id)).toMatchObject({ id: sandbox.id, state: 'Ready' })
        await runtime.removeSandbox(sandbox.id)
        expect(await find(sandbox.id)).toBeUndefined()
        await runtime.removeSandbox(sandbox.id)
      })
    })

    it('gives sandboxes addresses of their own', async () => {
      await inSandbox(async (one) => inSandbox(async (other) => expect(one.ip === '' || one.ip !== other.ip).toBe(true)))
    })

    it('makes images present, or says why not', async () => {
      const image = await runtime.ensureImage(setup.image, 'IfNotPresent')
      expect(image.id).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(await runtime.ensureImage(setup.image, 'Never')).toMatchObject({ id: image.id })
      const reason = (policy: 'Always' | 'Never', name: string) =>
        runtime.ensureImage(name, policy).then(
          () => 'present',
          (error: unknown) => (error instanceof RuntimeError ? error.reason : String(error)),
        )
      expect(await reason('Always', setup.absentImage)).toBe('ErrImagePull')
      expect(await reason('Never', setup.absentImage)).toBe('ErrImageNeverPull')
      expect(await reason('Always', 'Not A Name!')).toBe('InvalidImageName')
    })

    it('runs a container to its end and tells its exit code', async () => {
      await inSandbox(async (sandbox) => {
        changes.clear()
        const started = await runtime.startContainer(sandbox.id, await containerConfig(['sh', '-c', 'exit 7']))
        expect(started).toMatchObject({ name: 'main', attempt: 0, labels: { role: 'test' } })
        const container = await ended(sandbox.id)
        expect(container).toMatchObject({ id: started.id, exitCode: 7, reason: 'Error' })
        expect(container.startedAtMs).toBeLessThanOrEqual(container.finishedAtMs ?? 0)
        expect(changes.has(sandbox.id)).toBe(true)
        await runtime.removeContainer(container.id)
        expect((await find(sandbox.id))?.containers).toEqual([])
      })
    })

    it('completes with code 0', async () => {
      await inSandbox(async (sandbox) => {
        await runtime.startContainer(sandbox.id, await containerConfig(['true']))
        expect(await ended(sandbox.id)).toMatchObject({ exitCode: 0, reason: 'Completed' })
      })
    })

    it('keeps several containers and attempts apart', async () => {
      await inSandbox(async (sandbox) => {
        await runtime.startContainer(sandbox.id, await containerConfig(['sh', '-c', 'exit 1']))
        await ended(sandbox.id)
        await runtime.startContainer(sandbox.id, await containerConfig(['sleep', '1000'], { attempt: 1 }))
        await runtime.startContainer(sandbox.id, await containerConfig(['sleep', '1000'], { name: 'other' }))
        const containers = (await find(sandbox.id))?.containers ?? []
        expect(containers.map((c) => `${c.name}#${c.attempt} ${c.state}`).sort()).toEqual([
          'main#0 Exited',
          'main#1 Running',
          'other#0 Running',
        ])
      })
    })

    it('stops a container with SIGTERM, or SIGKILL after the grace', async () => {
      await inSandbox(async (sandbox) => {
        const { id } = await runtime.startContainer(sandbox.id, await containerConfig(['sleep', '1000']))
        await runtime.stopContainer(id, 300)
        expect([143, 137]).toContain((await ended(sandbox.id)).exitCode)
        await runtime.stopContainer(id, 300)
      })
    })

    unless(skips.signals)('kills what does not listen, and at once when the grace is cut short', async () => {
      await inSandbox(async (sandbox) => {
        const stubborn = await containerConfig(['sh', '-c', 'trap "" TERM; while true; do sleep 0.05; done'])
        const { id } = await runtime.startContainer(sandbox.id, stubborn)
        const begun = performance.now()
        const patient = runtime.stopContainer(id, 60_000)
        await runtime.stopContainer(id, 200)
        await patient
        expect(performance.now() - begun).toBeLessThan(5_000)
        expect(await ended(sandbox.id)).toMatchObject({ exitCode: 137 })
      })
    })

    unless(skips.signals)('lets a container end in its own way', async () => {
      await inSandbox(async (sandbox) => {
        const polite = await containerConfig(['sh', '-c', 'trap "exit 5" TERM; echo up; while true; do sleep 0.02; done'])
        const { id, logPath } = await runtime.startContainer(sandbox.id, polite)
        const deadline = performance.now() + PATIENCE_MS
        while (!readText(logPath).includes('up') && performance.now() < deadline)
          await new Promise((resolve) => setTimeout(resolve, 5))
        await runtime.stopContainer(id, 10_000)
        expect(await ended(sandbox.id)).toMatchObject({ exitCode: 5 })
      })
    })

    unless(skips.signals)('sends a container a signal, and one that has ended none', async () => {
      await inSandbox(async (sandbox) => {
        const listening = await containerConfig(['sh', '-c', 'trap "exit 6" HUP; echo up; while true; do sleep 0.02; done'])
        const { id, logPath } = await runtime.startContainer(sandbox.id, listening)
        const deadline = performance.now() + PATIENCE_MS
        while (!readText(logPath).includes('up') && performance.now() < deadline)
          await new Promise((resolve) => setTimeout(resolve, 5))
        await runtime.signalContainer(id, 'SIGHUP')
        expect(await ended(sandbox.id)).toMatchObject({ exitCode: 6 })
        await runtime.signalContainer(id, 'SIGHUP')
      })
    })

    it('takes its containers down with the sandbox', async () => {
      const sandbox = await runtime.createSandbox(sandboxConfig())
      await runtime.startContainer(sandbox.id, await containerConfig(['sleep', '1000']))
      await runtime.removeSandbox(sandbox.id)
      expect(await find(sandbox.id)).toBeUndefined()
    })

    it('runs commands beside the container', async () => {
      await inSandbox(async (sandbox, config) => {
        const { id } = await runtime.startContainer(
          sandbox.id,
          await containerConfig(['sleep', '1000'], { env: [{ name: 'GREETING', value: 'hello' }] }),
        )
        expect(await output(id, ['echo', 'one', 'two'])).toEqual({ code: 0, out: 'one two\n', err: '' })
        expect((await output(id, ['sh', '-c', 'exit 3'])).code).toBe(3)
        expect((await output(id, ['sh', '-c', 'echo $GREETING'])).out).toBe('hello\n')
        expect((await output(id, ['cat'], 'through and back')).out).toBe('through and back')
        if (runtime.info.isolation !== 'process') expect((await output(id, ['hostname'])).out).toBe(`${config.hostname}\n`)
      })
    })

    it('refuses commands in a container that does not run', async () => {
      await inSandbox(async (sandbox) => {
        const { id } = await runtime.startContainer(sandbox.id, await containerConfig(['true']))
        await ended(sandbox.id)
        await expect(output(id, ['true'])).rejects.toThrow()
      })
    })

    unless(skips.logFiles)('writes the log in CRI format, whole when the end is told', async () => {
      await inSandbox(async (sandbox, config) => {
        await runtime.startContainer(sandbox.id, await containerConfig(['sh', '-c', 'echo out; echo err >&2; exit 0']))
        const { logPath } = await ended(sandbox.id)
        expect(logPath).toBe(join(config.logDirectory, 'main', '0.log'))
        const lines = readText(logPath).trimEnd().split('\n')
        expect(lines.map((line) => line.replace(/^\S+ /, '')).sort()).toEqual(['stderr F err', 'stdout F out'])
        for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z /)
        await runtime.removeSandbox(sandbox.id)
        expect(readText(logPath)).not.toBe('')
      })
    })

    unless(skips.files)('shows mounted files, read-only where it is so asked', async () => {
      await inSandbox(async (sandbox) => {
        const { mkdirSync, writeFileSync } = await import('node:fs')
        const host = join(directory, `mount-${count}`)
        mkdirSync(host)
        writeFileSync(join(host, 'file'), 'from outside')
        const mounts = [
          { hostPath: host, containerPath: '/rw', readOnly: false },
          { hostPath: host, containerPath: '/ro', readOnly: true },
        ]
        const { id } = await runtime.startContainer(sandbox.id, await containerConfig(['sleep', '1000'], { mounts }))
        expect((await output(id, ['cat', '/ro/file'])).out).toBe('from outside')
        expect((await output(id, ['sh', '-c', 'echo x > /rw/made'])).code).toBe(0)
        expect((await output(id, ['sh', '-c', 'echo x > /ro/made2'])).code).not.toBe(0)
        expect(readText(join(host, 'made'))).toBe('x\n')
      })
    })

    unless(skips.attach)('joins the streams of the container itself', async () => {
      await inSandbox(async (sandbox) => {
        const { id } = await runtime.startContainer(sandbox.id, await containerConfig(['cat'], { stdin: true, stdinOnce: true }))
        const stdin = new PassThrough()
        const stdout = new PassThrough()
        const process = await runtime.attach(id, { stdin: true, stdout: true }, { stdin, stdout }, new AbortController().signal)
        stdin.end('to the process\n')
        expect((await process.exit).code).toBe(0)
        expect(stdout.read()?.toString()).toBe('to the process\n')
        expect(await ended(sandbox.id)).toMatchObject({ exitCode: 0 })
      })
    })

    it('measures what runs', async () => {
      await inSandbox(async (sandbox) => {
        const { id, startedAtMs } = await runtime.startContainer(sandbox.id, await containerConfig(['sleep', '1000']))
        const stats = await runtime.stats(sandbox.id)
        expect(stats.containers).toHaveLength(1)
        const [container] = stats.containers
        expect(container).toMatchObject({ id, name: 'main', startedAtMs })
        expect(container?.memoryBytes).toBeGreaterThan(0)
        const host = await runtime.hostStats()
        expect(host.memoryBytes).toBeGreaterThanOrEqual(container?.memoryBytes ?? 0)
        expect(host.memoryAvailableBytes).toBeGreaterThan(0)
      })
    })

    it('starts nothing in a sandbox that is not there', async () => {
      await expect(runtime.startContainer('none', await containerConfig(['true']))).rejects.toBeInstanceOf(RuntimeError)
    })
  })
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
