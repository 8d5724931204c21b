/**
 * Says what it knows about itself: the variables whose names begin with KNOWN_, the files below INFO_DIR as they are at this
 * moment, its arguments, what the metadata service says of the pod, and how often it was told with SIGHUP that something has
 * changed. Plain Node, no dependency.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const directory = process.env.INFO_DIR ?? '/etc/podinfo'
const startedAt = new Date().toISOString()
let hangups = 0

const variables = () =>
  Object.fromEntries(
    Object.entries(process.env)
      .filter(([name]) => name.startsWith('KNOWN_'))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

/** Names that begin with dots are how the files are swapped all at once. */
const files = () => {
  if (!existsSync(directory)) return {}
  const names = readdirSync(directory).filter((name) => !name.startsWith('..'))
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]))
}

/** Undefined where no such service answers. */
const metadata = async () => {
  const service = process.env.SKIFF_METADATA_URL ?? 'http://169.254.169.254'
  const headers = { 'Metadata-Flavor': 'Google' }
  try {
    const asked = { headers, signal: AbortSignal.timeout(1000) }
    const response = await fetch(`${service}/computeMetadata/v1/pod/?recursive=true`, asked)
    return response.ok ? await response.json() : undefined
  } catch {
    return undefined
  }
}

const knowledge = async () => ({
  variables: variables(),
  files: files(),
  arguments: process.argv.slice(2),
  metadata: await metadata(),
  hangups,
  startedAt,
})

process.on('SIGHUP', () => {
  hangups++
  console.log('something has changed:', JSON.stringify(files()))
})
process.on('SIGTERM', () => process.exit(0))

const server = createServer(async (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(await knowledge(), null, 2)}\n`)
})
server.listen(Number(process.env.PORT ?? 8080), async () => console.log(JSON.stringify(await knowledge(), null, 2)))
