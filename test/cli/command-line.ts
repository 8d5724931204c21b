/** Runs the command line in process against a real API server over HTTPS, with its output kept. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import type { ResourceDefinition } from '../../src/api/definition.ts'
import type { Host } from '../../src/cli/host.ts'
import type { Io } from '../../src/cli/io.ts'
import { main } from '../../src/cli/program.ts'
import { addContext } from '../../src/client/kubeconfig-write.ts'
import { startServer, type TestServer } from '../server/start-server.ts'
import { createProcessNode } from '../server/streams/process-node.ts'

export interface Result {
  code: number
  out: string
  err: string
}

export interface Running {
  out(): string
  err(): string
  /** Presses Ctrl-C. */
  interrupt(): void
  done: Promise<Result>
}

export interface CommandLine {
  server: TestServer
  directory: string
  /** Of the server. */
  url: string
  run(args: readonly string[], more?: RunOptions): Promise<Result>
  start(args: readonly string[], more?: RunOptions): Running
  close(): Promise<void>
}

export interface RunOptions {
  input?: string
  env?: NodeJS.ProcessEnv
  host?: Partial<Host>
  /** As on a terminal, whose keys are the input. */
  tty?: boolean
}

const refuse = () => Promise.reject(new Error('this test has no machine of its own'))

/** Without parts of its own: each test gives what its command needs. */
export const noHost: Host = {
  version: '9.8.7',
  driver: () => ({ name: 'test', isGone: () => false }),
  up: refuse,
  down: refuse,
  status: refuse,
  images: () => ({ build: refuse, load: refuse, save: refuse, list: refuse, remove: refuse }),
  extend: { serve: refuse, manifests: refuse },
  demo: refuse,
}

export function start(args: readonly string[], { input = '', env = {}, host, tty = false }: RunOptions = {}): Running {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  let [out, err] = ['', '']
  stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const interrupt = new AbortController()
  const stdin = Readable.from(input === '' ? [] : [Buffer.from(input)])
  const terminal = { size: () => ({ columns: 100, rows: 30 }), setRaw: () => {}, onResize: () => () => {} }
  const io: Io = {
    ...{ stdout, stderr, stdin, env: { SKIFF_PIN: 'off', ...env } },
    ...{ isTty: tty, columns: 100, signal: interrupt.signal },
    ...(tty && { terminal }),
  }
  const done = main(args, io, { ...noHost, ...host }).then((code) => ({ code, out, err }))
  return { out: () => out, err: () => err, interrupt: () => interrupt.abort(), done }
}

/** `definitions` are what the server knows: Kubernetes' own unless given. */
export async function startCommandLine(definitions?: readonly ResourceDefinition[]): Promise<CommandLine> {
  const server = await startServer({ ...(definitions && { definitions }) })
  server.server.connectNode('n', createProcessNode())
  const directory = mkdtempSync(join(tmpdir(), 'skiff-cli-'))
  const kubeconfig = join(directory, 'config')
  const { url } = await server.server.listen({ host: '127.0.0.1', port: 0 })
  const { certificate: cert, key } = await server.server.issueClientCertificate('admin', ['system:masters'])
  await addContext(kubeconfig, { name: 'test', server: url, ca: server.server.caCertificate, cert, key })
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', account)
  const withConfig = (more: RunOptions = {}) => ({ ...more, env: { KUBECONFIG: kubeconfig, ...more.env } })
  return {
    server,
    directory,
    url,
    start: (args, more) => start(args, withConfig(more)),
    run: (args, more) => start(args, withConfig(more)).done,
    close: async () => {
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
