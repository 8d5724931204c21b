/** `skiff demo` as root and as a normal user: it loses no request and leaves nothing behind, also when it is interrupted. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Environment, type Running, SKIFF, start, type Traces, traces, until, works } from './support/skiff.ts'

const NOBODY = 65534
const AS_NOBODY = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups']

const linux = process.platform === 'linux'
const root = linux && process.getuid?.() === 0
const canBeNobody = root && works('setpriv', ...AS_NOBODY, process.execPath, SKIFF, '--version')

let directory: string
let before: Traces
let demo: Running | undefined

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'skiff-e2e-')))
  mkdirSync(join(directory, 'tmp'))
  mkdirSync(join(directory, 'home'))
  before = traces(directory)
})

afterEach(async () => {
  if (demo?.child.exitCode === null) demo.child.kill('SIGKILL')
  await demo?.result
  rmSync(directory, { recursive: true, force: true })
})

const environment = (): Environment => ({ HOME: join(directory, 'home'), TMPDIR: join(directory, 'tmp'), KUBECONFIG: '' })

function asRoot(): Running {
  return start(process.execPath, [SKIFF, 'demo'], environment())
}

function asNobody(): Running {
  chmodSync(directory, 0o755)
  for (const name of ['tmp', 'home']) chownSync(join(directory, name), NOBODY, NOBODY)
  return start('setpriv', [...AS_NOBODY, process.execPath, SKIFF, 'demo'], environment())
}

async function nothingIsLeft(): Promise<void> {
  expect(readdirSync(join(directory, 'tmp'))).toEqual([])
  expect(readdirSync(join(directory, 'home'))).toEqual([])
  expect(traces(directory)).toEqual(before)
}

const kinds = [
  { who: 'root', skip: !root, reason: 'needs Linux and root', begin: asRoot },
  { who: 'a normal user', skip: !canBeNobody, reason: 'needs root, setpriv, and a package others can read', begin: asNobody },
]

for (const { who, skip, reason, begin } of kinds) {
  describe.skipIf(skip)(`skiff demo as ${who}${skip ? ` (${reason})` : ''}`, () => {
    it('rolls without a failed request in under 30 s and leaves nothing', async () => {
      const started = Date.now()
      demo = begin()
      const { code, out, err } = await demo.result
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(/[1-9]\d* requests, 0 failures/)
      expect(Date.now() - started).toBeLessThan(30_000)
      await nothingIsLeft()
    })

    it('leaves nothing when it is interrupted in the middle', async () => {
      demo = begin()
      const running = demo
      await until('the roll begins', () => running.output().includes('skiff roll web') || running.child.exitCode !== null)
      expect(running.child.exitCode).toBe(null)
      running.child.kill('SIGINT')
      expect((await running.result).code).toBe(130)
      await nothingIsLeft()
    })
  })
}
