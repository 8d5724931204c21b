/**
 * The shop's database, as small as one can be: tables of JSON rows over HTTP, in memory. Like a real one it takes a moment until
 * it answers, and it knows no table that nobody made.
 */
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

const tables = new Map()
let ready = false

const answer = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(`${JSON.stringify(body)}\n`)
}

const server = createServer(async (request, response) => {
  if (request.url === '/readyz' || !ready) return answer(response, ready ? 200 : 503, { ready })
  const [, name] = /^\/tables\/([a-z]+)$/.exec(request.url ?? '') ?? []
  if (name === undefined) return answer(response, 404, { error: `nothing at ${request.url}` })
  if (request.method === 'PUT') {
    tables.set(name, JSON.parse(await text(request)))
    console.log(`table ${name} has ${tables.get(name).length} rows`)
    return answer(response, 200, {})
  }
  const rows = tables.get(name)
  return rows ? answer(response, 200, rows) : answer(response, 404, { error: `there is no table ${name}` })
})

server.listen(8080, () => {
  setTimeout(
    () => {
      ready = true
      console.log('the database is ready')
    },
    Number(process.env.RECOVERY_MS ?? 1500),
  )
})
process.on('SIGTERM', () => process.exit(0))
