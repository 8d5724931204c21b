/**
 * `skiff demo`: the main job in half a minute, with nothing staged. A cluster, three versions of a web server, a roll that
 * loses no request, a roll that fails and is taken back, and a picture of who answered when.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Deployment, Service } from '../api/types.ts'
import { systemClock } from '../base/clock.ts'
import { type Io, writeLine } from '../cli/io.ts'
import { deployments, services } from '../client/resources.ts'
import { type Cluster, startCluster } from '../cluster.ts'
import { type Roll, type RollResult, roll, rollback } from '../rollout/index.ts'
import { type Load, startLoad } from './demo-load.ts'
import { drawTimeline } from './demo-picture.ts'
import { imageCommands } from './images.ts'
import { packageRoot } from './package-root.ts'

const REPLICAS = 3
const VERSIONS = ['v1', 'v2', 'v3'] as const
const NAMESPACE = 'default'
/** How long the roll to v3 may stand still before it is given up. */
const NO_PROGRESS_MS = 4_000
const ROLL_DEADLINE_MS = 60_000
const SERVICE_PORT = 80

class DemoFailed extends Error {
  override name = 'DemoFailed'
}

export async function demo(io: Io): Promise<number> {
  const say = (line: string) => writeLine(io.stdout, line)
  const work = mkdtempSync(path.join(tmpdir(), 'skiff-demo-'))
  let cluster: Cluster | undefined
  try {
    cluster = await startCluster({ dataDirectory: path.join(work, 'data') })
    say(`A Kubernetes cluster is ready after ${Math.round(cluster.readyMs)} ms: ${cluster.url}`)
    if (cluster.notice) say(`(${cluster.notice})`)
    const load = await perform(cluster, work, io, say)
    for (const line of drawTimeline(load.samples(), { columns: io.columns, versions: VERSIONS })) say(line)
    return conclude(load, say)
  } catch (error) {
    if (io.signal.aborted) {
      say('Interrupted: everything is being stopped.')
      return 130
    }
    writeLine(io.stderr, `error: the demo failed: ${(error as Error).message}`)
    return 1
  } finally {
    await cluster?.stop()
    rmSync(work, { recursive: true, force: true })
  }
}

async function perform(cluster: Cluster, work: string, io: Io, say: (line: string) => void): Promise<Load> {
  await buildImages(cluster.dataDirectory, work)
  say(`Built web:v1, web:v2 and web:v3, which never becomes ready, from examples/web.`)
  const { client } = cluster
  await client.create(deployments, deployment())
  const service = await client.create(services, webService())
  await available(cluster, io.signal)
  const target = await reachable(cluster, service)
  say(`web:v1 runs with ${REPLICAS} replicas; requests go to the Service at ${target} from now on.`)
  const load = startLoad(target, io.signal)
  try {
    const common = {
      client,
      clock: systemClock,
      namespace: NAMESPACE,
      target: { kind: 'Deployment' as const, name: 'web' },
      signal: io.signal,
    }
    say('\nskiff roll web --image=web:v2')
    expectOutcome(await follow(roll({ ...common, images: { '*': 'web:v2' }, deadlineMs: ROLL_DEADLINE_MS }), say), 'done')
    await load.settle()
    say('\nskiff roll web --image=web:v3')
    expectOutcome(await follow(roll({ ...common, images: { '*': 'web:v3' }, timeoutMs: NO_PROGRESS_MS }), say), 'no-progress')
    say('\nskiff rollback web')
    expectOutcome(await follow(rollback({ ...common, deadlineMs: ROLL_DEADLINE_MS }), say), 'done')
    await load.settle()
  } finally {
    await load.stop()
  }
  return load
}

/** Three folders that differ in what they say of themselves; the images share everything else. */
async function buildImages(dataDirectory: string, work: string): Promise<void> {
  const images = imageCommands(dataDirectory)
  const example = path.join(packageRoot(), 'examples', 'web')
  for (const version of VERSIONS) {
    const directory = path.join(work, version)
    cpSync(example, directory, { recursive: true })
    writeFileSync(path.join(directory, 'version.txt'), `${version}\n`)
    if (version === 'v3') writeFileSync(path.join(directory, 'ready'), 'false\n')
    await images.build({ directory, tag: `web:${version}`, entrypoint: 'node server.js', env: [] })
  }
}

function deployment(): Deployment {
  const readinessProbe = { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1, failureThreshold: 1 }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 10,
          containers: [{ name: 'web', image: 'web:v1', ports: [{ containerPort: 8080 }], readinessProbe }],
        },
      },
    },
  }
}

function webService(): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: SERVICE_PORT, targetPort: 8080 }] },
  }
}

async function available({ client }: Cluster, signal: AbortSignal): Promise<void> {
  const only = { namespace: NAMESPACE, fieldSelector: 'metadata.name=web', signal }
  const list = await client.list(deployments, only)
  const holds = (object: Deployment) => object.status?.availableReplicas === REPLICAS
  if (list.items.some(holds)) return
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(ROLL_DEADLINE_MS)])
  for await (const events of client.watch(deployments, {
    ...only,
    signal: giveUp,
    resourceVersion: list.metadata.resourceVersion,
  })) {
    if (events.some(({ object }) => holds(object))) return
  }
  if (signal.aborted) throw signal.reason
  throw new DemoFailed(`web:v1 did not become available within ${ROLL_DEADLINE_MS / 1000} s`)
}

/** The Service's own address where this host routes it (running as root), its node port otherwise. */
async function reachable(cluster: Cluster, service: Service): Promise<string> {
  const { clusterIP, ports } = service.spec ?? {}
  if (cluster.serviceAddresses) return `http://${clusterIP}:${SERVICE_PORT}/`
  return `http://127.0.0.1:${ports?.[0]?.nodePort}/`
}

async function follow(rolling: Roll, say: (line: string) => void): Promise<RollResult> {
  let last = ''
  for await (const { phase, old, new: next, message } of rolling) {
    const line = `  ${phase.padEnd(9)} ${bar(old.ready, next.ready)}  old ${old.ready}/${old.replicas}  new ${next.ready}/${next.replicas}  ${message}`
    if (line !== last) say(line)
    last = line
  }
  const result = await rolling.result()
  say(`  ${result.outcome}: ${result.message}`)
  return result
}

function bar(old: number, next: number): string {
  return `${'▒'.repeat(Math.min(old, REPLICAS + 1))}${'█'.repeat(Math.min(next, REPLICAS + 1))}`.padEnd(REPLICAS + 2)
}

function expectOutcome({ outcome, message }: RollResult, wanted: RollResult['outcome']): void {
  if (outcome !== wanted) throw new DemoFailed(`expected the roll to end with ${wanted}, it ended with ${outcome}: ${message}`)
}

function conclude(load: Load, say: (line: string) => void): number {
  const samples = load.samples()
  const failures = samples.filter((sample) => sample.failure !== undefined)
  say(`\n${samples.length} requests, ${failures.length} failures.`)
  for (const reason of new Set(failures.map((sample) => sample.failure))) say(`  ${reason}`)
  if (failures.length > 0) return 1
  say('\nTry next:')
  say('  npx skiff up --detach                              a cluster that stays')
  say("  npx skiff image build examples/web -t web:v1 --entrypoint 'node server.js'")
  say('  kubectl create deployment web --image=web:v1       and your own manifests, with kubectl, Helm or skiff')
  say('  npx skiff help roll                                rolling updates, on any Kubernetes')
  return 0
}
