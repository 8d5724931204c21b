/** A cluster in this process whose pods really run, images made of program texts, and what the programs say. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { build } from 'esbuild'
import type { Pod, PodSpec } from '../../../src/api/types.ts'
import { createLog, silentLog } from '../../../src/base/log.ts'
import { events, pods } from '../../../src/client/resources.ts'
import { type Cluster, startCluster } from '../../../src/cluster.ts'
import { openImageStore } from '../../../src/node/images/store.ts'
import { ROOT, until } from './skiff.ts'

/** As a test needs it: namespaces of its own, which root has everywhere. */
export const noRealPods = process.platform !== 'linux' || process.getuid?.() !== 0

export interface RealPods {
  cluster: Cluster
  /** A host-based image of one program for Node, with the npm packages it imports bundled into it. */
  buildImage(tag: string, program: string): Promise<void>
  run(name: string, spec: Partial<PodSpec>, metadata?: Partial<Pod['metadata']>): Promise<Pod>
  get(name: string): Promise<Pod>
  /** Resolves with the pod once it is as asked; rejects with what became of it. */
  pod(name: string, what: string, holds: (pod: Pod) => boolean, timeoutMs?: number): Promise<Pod>
  log(name: string, container?: string): Promise<string>
  /** The log once it holds the text. */
  says(name: string, part: string | RegExp, container?: string): Promise<string>
  /** `reason: message` of the pod's events. */
  events(name: string): Promise<string[]>
  close(): Promise<void>
}

export async function realPods(): Promise<RealPods> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'skiff-pods-')))
  const dataDirectory = join(directory, 'data')
  const log = process.env.DEBUG ? createLog({ write: (line) => process.stderr.write(line), level: 'debug' }) : silentLog
  const cluster = await startCluster({ dataDirectory, inMemory: true, log })
  const { client } = cluster
  const namespace = 'default'
  const get = (name: string) => client.get(pods, name, { namespace })
  const readLog = async (name: string, container?: string) => {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/log`
    return text(await client.transport.stream({ method: 'GET', path, ...(container && { query: { container } }) }))
  }
  return {
    cluster,
    async buildImage(tag, program) {
      const context = join(directory, tag.replace(/\W/g, '-'))
      mkdirSync(context)
      const bundled = await build({
        stdin: { contents: program, resolveDir: ROOT, loader: 'js' },
        ...{ bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'silent', target: 'node20' },
      })
      writeFileSync(join(context, 'app.js'), bundled.outputFiles[0]?.text ?? '')
      await openImageStore(dataDirectory).build({ directory: context, tag, entrypoint: ['node', 'app.js'] })
    },
    run: (name, spec, metadata = {}) =>
      client.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace, ...metadata },
        spec: { terminationGracePeriodSeconds: 2, restartPolicy: 'Never', containers: [], ...spec },
      }),
    get,
    async pod(name, what, holds, timeoutMs = 60_000) {
      let last: Pod | undefined
      const look = async () => {
        last = await get(name)
        return holds(last) && last
      }
      return until(`pod ${name} ${what}`, look, timeoutMs).catch((error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(last?.status, undefined, 1)}`, { cause: error })
      })
    },
    log: readLog,
    says: (name, part, container) =>
      until(
        `pod ${name} says ${part}`,
        async () => {
          const said = await readLog(name, container)
          return (typeof part === 'string' ? said.includes(part) : part.test(said)) && said
        },
        60_000,
      ),
    async events(name) {
      const { items } = await client.list(events, { namespace })
      const own = items.filter(({ involvedObject }) => involvedObject.name === name)
      return own.map(({ reason, message }) => `${reason}: ${message}`)
    },
    async close() {
      await cluster.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
