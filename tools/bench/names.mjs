/**
 * `node tools/bench/names.mjs`: what a name without a kind costs among many objects: `skiff get web` beside `skiff get deployment web`,
 * each in a process of its own, and the request behind it. Flags: --objects 10000 --runs 15.
 */
import { spawnSync } from 'node:child_process'
import https from 'node:https'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startCluster } from './cluster.mjs'

const PROGRAM = fileURLToPath(new URL('../../bin/skiff', import.meta.url))
const KINDS = ['configmaps', 'secrets', 'serviceaccounts', 'podtemplates']
const CONNECTIONS = 32

const text = { type: 'string' }
const { values } = parseArgs({ options: { objects: { ...text, default: '10000' }, runs: { ...text, default: '15' } } })
const [objects, runs] = [Number(values.objects), Number(values.runs)]

const cluster = await startCluster(false)
const agent = new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS, ...cluster.access.tls })
try {
  await fill()
  const commands = {
    exact: ['get', 'deployment', 'web'],
    'by name': ['get', 'web'],
    'near names': ['get', 'wbe'],
    completion: ['__complete', '--', 'get', 'we'],
  }
  const times = skiff(commands)
  const review = await medianMs(() =>
    call('POST', '/apis/skiff.dev/v1alpha1/namespaces/default/namereviews', {
      apiVersion: 'skiff.dev/v1alpha1',
      kind: 'NameReview',
      spec: { name: 'web' },
    }),
  )
  console.log(`${objects} objects, median of ${runs} runs`)
  for (const [what, ms] of Object.entries({ ...times, NameReview: review })) console.log(`${what.padEnd(12)} ${ms.toFixed(1)} ms`)
  console.log(`a name costs ${(times['by name'] - times.exact).toFixed(1)} ms more than a kind and a name`)
} finally {
  agent.destroy()
  await cluster.stop()
}

async function fill() {
  const deployment = {
    metadata: { name: 'web' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } },
    },
  }
  await call('POST', '/apis/apps/v1/namespaces/default/deployments', deployment)
  let next = 0
  const worker = async () => {
    for (let i = next++; i < objects; i = next++) {
      const kind = KINDS[i % KINDS.length]
      const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
      const body = { metadata: { name: `object-${i}` }, ...(kind === 'podtemplates' && { template }) }
      await call('POST', `/api/v1/namespaces/default/${kind}`, body)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
}

/** The median times of whole processes, started in turn so that all of them meet the same machine. Exit codes are their own affair. */
function skiff(commands) {
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig, XDG_CACHE_HOME: `${cluster.kubeconfig}.cache` }
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]))
  for (let run = 0; run <= runs; run++) {
    for (const [name, words] of Object.entries(commands)) {
      const start = performance.now()
      spawnSync(process.execPath, [PROGRAM, ...words], { env })
      // The first one reads what the server has.
      if (run > 0) times[name].push(performance.now() - start)
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]))
}

async function medianMs(one) {
  const times = []
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    await one()
    times.push(performance.now() - start)
  }
  return median(times)
}

function median(times) {
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]
}

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const payload = JSON.stringify(body)
    const { hostname: host, port } = cluster.access.url
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
    const request = https.request({ host, port, method, path, headers, agent }, (response) => {
      let answer = ''
      response.on('data', (chunk) => {
        answer += chunk
      })
      response.on('end', () =>
        response.statusCode < 300 ? resolve(JSON.parse(answer)) : reject(new Error(`${method} ${path}: ${answer}`)),
      )
    })
    request.on('error', reject)
    request.end(payload)
  })
}
