/**
 * `npm run build && node tools/bench/roll.mjs [pods]`: the same roll of simulated pods by skiff's engine and by a Deployment's own
 * controller, in turn, on one cluster in this process. Prints both times, their ratio, and the engine's requests.
 */
import { createClient } from '../../dist/client.js'
import { roll } from '../../dist/rollout.js'
import { startTestCluster } from '../../dist/testing.js'

const pods = Number(process.argv[2] ?? 1000)
if (!Number.isInteger(pods) || pods < 1) throw new Error(`a number of pods is needed, not ${process.argv[2]}`)
const PODS_OF_A_NODE = 100
const RUNS = 2
const namespace = 'default'
const pace = { maxSurge: '25%', maxUnavailable: '25%', timeoutMs: 600_000 }

const cluster = await startTestCluster({ nodes: Math.ceil((pods * 1.3) / PODS_OF_A_NODE) })
let requests = 0
const { transport } = cluster.client
const counting = createClient({
  ...transport,
  request(request) {
    requests += 1
    return transport.request(request)
  },
})
try {
  for (let run = 1; run <= RUNS; run++) {
    const server = await timed('Deployment')
    requests = 0
    const client = await timed('ReplicationController')
    const ratio = (client / server).toFixed(2)
    console.log(
      `${pods} pods: Deployment ${Math.round(server)} ms, engine ${Math.round(client)} ms, ratio ${ratio}, ${requests} requests`,
    )
  }
} finally {
  await cluster.stop()
}

async function timed(kind) {
  const rc = kind === 'ReplicationController'
  const path = rc ? `/api/v1/namespaces/${namespace}/replicationcontrollers` : `/apis/apps/v1/namespaces/${namespace}/deployments`
  const labels = { app: kind.toLowerCase() }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } }
  const body = { metadata: { name: 'web' }, spec: { replicas: pods, selector: rc ? labels : { matchLabels: labels }, template } }
  await transport.request({ method: 'POST', path, body })
  await until(
    async () => (await transport.request({ method: 'GET', path: `${path}/web` })).object.status?.availableReplicas === pods,
  )
  const startedAt = performance.now()
  const { outcome, message } = await roll({
    client: counting,
    namespace,
    target: { kind, name: 'web' },
    images: { c: 'web:v2' },
    ...pace,
  }).result()
  if (outcome !== 'done') throw new Error(message)
  const tookMs = performance.now() - startedAt
  await transport.request({ method: 'DELETE', path, query: {}, body: { propagationPolicy: 'Background' } })
  await until(
    async () =>
      (await transport.request({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods` })).object.items.length === 0,
  )
  return tookMs
}

async function until(holds) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 100))
}
