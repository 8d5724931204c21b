/** `skiff run` with pipes and terminals of its own, against a cluster whose pods really run. Needs Linux. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from '@lydell/node-pty'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { SKIFF, start, until } from './support/skiff.ts'

const skip = process.platform !== 'linux' || process.getuid?.() !== 0
const RUNS = 50
const AT_ONCE = 5

let cluster: TestCluster

describe.skipIf(skip)(`skiff run${skip ? ' (needs Linux and root)' : ''}`, () => {
  beforeAll(async () => {
    cluster = testCluster()
    const context = join(cluster.directory, 'tools')
    mkdirSync(context)
    writeFileSync(join(context, 'version'), 'v1')
    const built = await cluster.skiff('image', 'build', context, '-t', 'tools:v1', '--entrypoint', '/usr/bin/env')
    expect({ code: built.code, err: built.err }).toEqual({ code: 0, err: '' })
    const up = await cluster.up()
    expect({ code: up.code, err: up.err }).toEqual({ code: 0, err: '' })
  })

  afterAll(async () => {
    await cluster?.down()
    cluster?.remove()
  })

  const left = async (name: string) => (await cluster.skiff('get', 'pods,jobs', '-l', `skiff.dev/run=${name}`, '-o', 'name')).out

  it(`loses no byte in either direction, ${RUNS} times`, async () => {
    const input = `${Array.from({ length: 200_000 }, (_, n) => n + 1).join('\n')}\n`
    const sum = (text: string) => createHash('sha256').update(text).digest('hex')
    const wanted = sum(input)
    const sums: string[] = []
    for (let begun = 0; begun < RUNS; begun += AT_ONCE) {
      const batch = Array.from({ length: AT_ONCE }, () => {
        const words = ['run', '-i', '--rm', '--image', 'tools:v1', '--pin', 'off', '--', 'cat']
        return start('node', [SKIFF, ...words], cluster.env, input).result
      })
      for (const { code, out, err } of await Promise.all(batch)) sums.push(code === 0 ? sum(out) : `${code} ${err}`)
    }
    expect(new Set(sums)).toEqual(new Set([wanted]))
  }, 300_000)

  /** skiff on a terminal of its own. */
  function terminal(...words: string[]) {
    const env = { ...(process.env as Record<string, string>), ...cluster.env }
    const pty = spawn('node', [SKIFF, ...words], { cols: 101, rows: 33, env })
    let out = ''
    pty.onData((data) => {
      out += data
    })
    const code = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)))
    return { pty, code, out: () => out, shows: (text: string) => until(`${text} in ${out}`, () => out.includes(text)) }
  }

  it('gives it this terminal: its size, its keys, its signals, its exit code', async () => {
    const shell = terminal('run', '-it', '--rm', 'shell', '--image', 'tools:v1', '--', 'sh')
    await shell.shows('# ')
    shell.pty.write('stty size; trap "echo interrupted" INT; echo rea""dy\r')
    await shell.shows('33 101')
    await shell.shows('ready')
    shell.pty.resize(90, 20)
    shell.pty.write('while [ "$(stty size)" != "20 90" ]; do sleep 0.1; done; echo re""sized\r')
    await shell.shows('resized')
    shell.pty.write('\x03')
    await shell.shows('interrupted')
    shell.pty.write('exit 6\r')
    expect(await shell.code).toBe(6)
    await until('nothing is left', async () => (await left('shell')) === '')
  })

  it('is left by ctrl-p ctrl-q, and joined again', async () => {
    const shell = terminal('run', '-it', 'kept', '--image', 'tools:v1', '--', 'sh')
    await shell.shows('# ')
    shell.pty.write('kept=here\r')
    await shell.shows('kept=here')
    shell.pty.write('\x10\x11')
    expect(await shell.code).toBe(0)
    expect(shell.out()).toContain('left running; to join it again: skiff attach -it pod/kept')
    const again = terminal('attach', '-it', 'pod/kept')
    again.pty.write('echo still $kept; exit 4\r')
    await again.shows('still here')
    await again.code
    const read = () =>
      cluster.skiff('get', 'pod', 'kept', '-o', 'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}')
    await until('its exit code', async () => (await read()).out === '4')
  })

  it('--rm also when interrupted, and when the command is gone', async () => {
    const interrupted = start(
      'node',
      [SKIFF, 'run', '--rm', 'long', '--image', 'tools:v1', '--', 'sh', '-c', 'echo began; sleep 1000'],
      cluster.env,
    )
    await until('it began', () => interrupted.output().includes('began'))
    interrupted.child.kill('SIGINT')
    expect((await interrupted.result).code).toBe(130)
    await until('nothing is left', async () => (await left('long')) === '')

    const lost = terminal('run', '-it', '--rm', 'lost', '--image', 'tools:v1', '--', 'sh')
    await lost.shows('# ')
    lost.pty.kill('SIGKILL')
    await lost.code
    await until('the cluster has removed it', async () => (await left('lost')) === '', 100_000)
  })
})
