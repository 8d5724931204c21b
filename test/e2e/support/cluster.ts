/** One `skiff up --detach` in a directory of its own, with the example's images, and kubectl that talks to it. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Environment, type Result, ROOT, type Running, run, skiff, start, until } from './skiff.ts'

export interface TestCluster {
  directory: string
  dataDirectory: string
  env: Environment
  up: (...args: string[]) => Promise<Result>
  down: () => Promise<Result>
  /** The process that is the cluster. */
  pid: () => number
  /** The cluster's command line, with its data directory. */
  skiff: (...args: string[]) => Promise<Result>
  /** Words are split at spaces; a list is taken as it is. */
  kubectl: (words: string | readonly string[], input?: string, env?: Environment) => Promise<Result>
  /** The output of a kubectl command that must succeed. */
  ok: (words: string | readonly string[], input?: string, env?: Environment) => Promise<string>
  start: (words: string | readonly string[]) => Running
  /** Builds examples/web as web:v1 and web:v2; no cluster has to run. */
  buildImages: () => Promise<void>
  remove: () => void
}

const split = (words: string | readonly string[]): readonly string[] => (typeof words === 'string' ? words.split(' ') : words)

export function testCluster(): TestCluster {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'skiff-e2e-')))
  const dataDirectory = join(directory, 'data')
  mkdirSync(join(directory, 'home'))
  const env = {
    HOME: join(directory, 'home'),
    KUBECONFIG: join(directory, 'kubeconfig'),
    KUBECACHEDIR: join(directory, 'cache'),
    SKIFF_DATA_DIR: dataDirectory,
  }
  const kubectl: TestCluster['kubectl'] = (words, input, more) => run('kubectl', split(words), { ...env, ...more }, input)
  return {
    directory,
    dataDirectory,
    env,
    up: async (...args) => skiff(['up', '--detach', '--port', String(await freePort()), ...args], env),
    down: () => skiff(['down'], env),
    pid: () => Number(JSON.parse(readFileSync(join(dataDirectory, 'cluster.json'), 'utf8')).pid),
    skiff: (...args) => skiff(args, env),
    kubectl,
    ok: async (words, input, more) => {
      const { code, out, err } = await kubectl(words, input, more)
      expect(`${split(words).join(' ')}: ${code} ${code === 0 ? '' : out + err}`.trim()).toBe(`${split(words).join(' ')}: 0`)
      return out
    },
    start: (words) => start('kubectl', split(words), env),
    buildImages: async () => {
      for (const version of ['v1', 'v2']) {
        const context = join(directory, `web-${version}`)
        cpSync(join(ROOT, 'examples/web'), context, { recursive: true })
        writeFileSync(join(context, 'version.txt'), version)
        const built = await skiff(['image', 'build', context, '-t', `web:${version}`, '--entrypoint', 'node server.js'], env)
        expect({ code: built.code, err: built.err }).toEqual({ code: 0, err: '' })
      }
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** A port nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** The version that answers at a URL, as soon as it does. */
export const answering = (url: string, version: string): Promise<string> =>
  until(`${url} answers ${version}`, async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000), headers: { connection: 'close' } })
    const body = await response.text()
    return body.includes(`"version":"${version}"`) ? body : undefined
  })
