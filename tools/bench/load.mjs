/** The load: plain HTTPS requests to any Kubernetes API server, the same for every one of them. */
import https from 'node:https'

const NAMESPACE = 'bench'
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`
const LIST_RUNS = 7
const WATCHERS = 50
const EVENTS = 200
const STATUS = { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] }

/** `objects`: pods of the single calls; `connections`: calls at once; `listed`: pods in the lists. */
export async function measure(access, { objects, connections, listed }) {
  const agent = new https.Agent({ keepAlive: true, maxSockets: connections, ...access.tls })
  const call = (method, path, body, type) => request(access, agent, method, path, body, type)
  const pool = (count, one) => rate(count, connections, one)
  await must(call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }))
  await untilFound(() => call('GET', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`))
  const results = {}
  results.create = await pool(objects, (i) => call('POST', PODS, pod(i)))
  results.get = await pool(objects * 2, (i) => call('GET', `${PODS}/p-${i % objects}`))
  results.patchStatus = await pool(objects, (i) =>
    call('PATCH', `${PODS}/p-${i}/status`, { status: STATUS }, 'application/strategic-merge-patch+json'),
  )
  results.apply = await pool(Math.min(objects, 1000), (i) => {
    const name = `cm-${i % 200}`
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: String(i) } }
    return call('PATCH', `${CONFIG_MAPS}/${name}?fieldManager=bench&force=true`, object, 'application/apply-patch+yaml')
  })
  await pool(Math.max(0, listed - objects), (i) => call('POST', PODS, pod(objects + i)))
  results.list = await medianMs(() => call('GET', PODS))
  results.listByLabel = await medianMs(() => call('GET', `${PODS}?labelSelector=idx%3D3&limit=500`))
  results.fanOut = await fanOut(access, call)
  results.delete = await pool(objects, (i) =>
    call('DELETE', `${PODS}/p-${i}`, { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 }),
  )
  agent.destroy()
  return results
}

function pod(index) {
  const container = {
    ...{ name: 'c', image: 'nginx:1.27', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] },
    resources: { requests: { cpu: '10m', memory: '16Mi' } },
  }
  const labels = { app: 'bench', idx: String(index % 10) }
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: `p-${index}`, labels, annotations: { note: 'x'.repeat(200) } },
    spec: { terminationGracePeriodSeconds: 0, nodeName: 'nowhere', containers: [container] },
  }
}

function request({ url }, agent, method, path, body, type = 'application/json') {
  return new Promise((resolve, reject) => {
    const data = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const headers = { accept: 'application/json', ...(data && { 'content-type': type, 'content-length': data.length }) }
    const sent = https.request({ host: url.hostname, port: url.port, method, path, agent, headers }, (response) => {
      let bytes = 0
      let text = ''
      response.on('data', (data) => {
        bytes += data.length
        if (response.statusCode >= 300 || path.includes('limit=1&')) text += data
      })
      response.on('end', () => resolve({ status: response.statusCode, bytes, text }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(data)
  })
}

async function must(answer) {
  const { status, text } = await answer
  if (status >= 300) throw new Error(`the server answered ${status}: ${text}`)
}

async function untilFound(ask) {
  const deadline = performance.now() + 10_000
  while ((await ask()).status !== 200) {
    if (performance.now() > deadline) throw new Error('the namespace got no service account within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Calls a second, with `connections` at once. One failed call is an error: a fast refusal is not a result. */
async function rate(count, connections, one) {
  let next = 0
  const taken = []
  const start = performance.now()
  const worker = async () => {
    while (next < count) {
      const begun = performance.now()
      await must(one(next++))
      taken.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
  const seconds = (performance.now() - start) / 1000
  taken.sort((a, b) => a - b)
  return { value: Math.round(count / seconds), p99Ms: Number((taken[Math.floor(count * 0.99)] ?? 0).toFixed(1)) }
}

async function medianMs(one) {
  const taken = []
  let bytes = 0
  for (let run = 0; run < LIST_RUNS; run++) {
    const start = performance.now()
    const answer = await one()
    if (answer.status !== 200) throw new Error(`the server answered ${answer.status}: ${answer.text}`)
    bytes = answer.bytes
    taken.push(performance.now() - start)
  }
  taken.sort((a, b) => a - b)
  return { value: Number(taken[Math.floor(LIST_RUNS / 2)].toFixed(1)), megabytes: Number((bytes / 1e6).toFixed(1)) }
}

/** Deliveries a second to watchers with a connection each. */
async function fanOut(access, call) {
  const { text } = await call('GET', `${CONFIG_MAPS}?limit=1&resourceVersion=`)
  const from = JSON.parse(text).metadata.resourceVersion
  const agent = new https.Agent({ maxSockets: WATCHERS, ...access.tls })
  const expected = WATCHERS * EVENTS
  let seen = 0
  let finished
  const all = new Promise((resolve) => {
    finished = resolve
  })
  const count = (data) => {
    for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, at + 1)) seen++
    if (seen >= expected) finished()
  }
  const watches = await Promise.all(Array.from({ length: WATCHERS }, () => openWatch(access, agent, from, count)))
  const start = performance.now()
  await rate(EVENTS, 8, (i) => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `w-${i}` }, data: { v: 'y'.repeat(500) } }
    return call('POST', CONFIG_MAPS, object)
  })
  await all
  const value = Math.round(expected / ((performance.now() - start) / 1000))
  for (const watch of watches) watch.destroy()
  agent.destroy()
  return { value }
}

function openWatch({ url }, agent, from, count) {
  return new Promise((resolve, reject) => {
    const path = `${CONFIG_MAPS}?watch=1&resourceVersion=${from}`
    const watch = https.request({ host: url.hostname, port: url.port, path, agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`the watch was answered with ${response.statusCode}`))
      response.on('data', count)
      response.on('error', () => {})
      resolve(watch)
    })
    watch.on('error', reject)
    watch.end()
  })
}
