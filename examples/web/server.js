/**
 * A web server to roll: it says which version it is and which pod answered, is ready until told otherwise,
 * and loses no request when it is stopped. Plain Node, no dependency.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { hostname } from 'node:os'

/** How long it goes on answering after SIGTERM, so that everybody who sends requests here has learned to stop. */
const drainMs = Number(process.env.DRAIN_MS ?? 1000)
/** When requests that are still running are cut off. */
const closeMs = Number(process.env.CLOSE_MS ?? 5000)

const beside = (name) => {
  const path = new URL(name, import.meta.url)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

const version = process.env.VERSION ?? beside('version.txt') ?? 'unversioned'
let ready = (process.env.READY ?? beside('ready') ?? 'true') !== 'false'
let stopping = false

const answer = (response, status, body, type) => {
  // A client that keeps its connection would send the next request to a process that is about to leave.
  if (stopping) response.setHeader('connection', 'close')
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname
  if (path === '/readyz') return answer(response, ready ? 200 : 503, ready ? 'ok\n' : 'not ready\n', 'text/plain')
  if (path === '/healthz') return answer(response, 200, 'ok\n', 'text/plain')
  if (path !== '/') return answer(response, 404, `nothing at ${path}\n`, 'text/plain')
  if (request.headers.accept?.includes('text/plain')) return answer(response, 200, `${version} ${hostname()}\n`, 'text/plain')
  return answer(response, 200, `${JSON.stringify({ version, pod: hostname(), ready })}\n`, 'application/json')
})

const stop = () => {
  if (stopping) return
  stopping = true
  ready = false
  setTimeout(() => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), closeMs).unref()
  }, drainMs)
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)

server.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`web ${version} listens on port ${server.address().port}, ${ready ? 'ready' : 'never ready'}`)
})
