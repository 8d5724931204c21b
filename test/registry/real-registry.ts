/**
 * Debian's docker-registry on loopback, with or without a password, and small images to put into it. Tests that need it
 * ask `hasRegistry` and say so when they are skipped.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hostPlatform } from '../../src/registry/documents.ts'
import { until } from '../controllers/until.ts'

export const USER = { username: 'me', password: 'secret' }
/** `htpasswd -nbB me secret`: the registry knows bcrypt only. */
const HTPASSWD = 'me:$2y$05$uNhlV8xs1k4Mr1VHeopm9.wS0yb.FigDci3sk92ENqD.HMEJwigwi\n'
const BASIC = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`

export const hasRegistry: boolean = present()

export interface RealRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  host: string
  /** Puts an image whose layer holds `text` there under a tag; answers its digest. Equal texts are equal images. */
  push(repository: string, tag: string, text?: string): Promise<string>
  /** Takes the server away; `start` brings it back with what it had. */
  stop(): Promise<void>
  start(): Promise<void>
}

export async function startRegistry({ isPrivate = false }: { isPrivate?: boolean } = {}): Promise<RealRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-registry-'))
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  writeFileSync(join(directory, 'htpasswd'), HTPASSWD)
  mkdirSync(join(directory, 'data'))
  writeFileSync(join(directory, 'config.yml'), configuration(directory, host, isPrivate))
  let child: ChildProcess | undefined
  const headers: Record<string, string> = isPrivate ? { authorization: BASIC } : {}
  const start = async () => {
    child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' })
    await until(async () => {
      const response = await fetch(`http://${host}/v2/`, { headers })
      if (!response.ok) throw new Error(`the registry answers ${response.status}`)
    })
  }
  const stop = async () => {
    const ending = child
    child = undefined
    if (!ending || ending.exitCode !== null) return
    const ended = new Promise((resolve) => ending.once('exit', resolve))
    ending.kill()
    await ended
  }
  await start()
  return {
    ...{ host, start, stop },
    push: (repository, tag, text = `${repository}:${tag}`) => pushImage(`http://${host}/v2/${repository}`, tag, text, headers),
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function configuration(directory: string, host: string, isPrivate: boolean): string {
  const auth = isPrivate ? `auth:\n  htpasswd:\n    realm: test\n    path: ${join(directory, 'htpasswd')}\n` : ''
  return `version: 0.1
log:
  level: error
storage:
  filesystem:
    rootdirectory: ${join(directory, 'data')}
http:
  addr: ${host}
${auth}`
}

/** As the distribution specification has it: blobs, then the manifest under its tag. */
async function pushImage(base: string, tag: string, text: string, headers: Record<string, string>): Promise<string> {
  const layer = tarOf('hello', text)
  const config = Buffer.from(
    JSON.stringify({
      ...{ ...hostPlatform(), created: '1970-01-01T00:00:00Z' },
      config: { Cmd: ['cat', '/hello'], Labels: { 'dev.skiff.base': 'host' } },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  )
  for (const blob of [layer, config]) await pushBlob(base, blob, headers)
  const describe = (mediaType: string, blob: Buffer) => ({ mediaType, digest: digestOf(blob), size: blob.length })
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json' },
      config: describe('application/vnd.oci.image.config.v1+json', config),
      layers: [describe('application/vnd.oci.image.layer.v1.tar', layer)],
    }),
  )
  const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
  await expectOk(await fetch(`${base}/manifests/${tag}`, { method: 'PUT', headers: { ...headers, ...type }, body: manifest }))
  return digestOf(manifest)
}

async function pushBlob(base: string, blob: Buffer, headers: Record<string, string>): Promise<void> {
  const begun = await expectOk(await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers }))
  const place = new URL(begun.headers.get('location')!, base)
  place.searchParams.set('digest', digestOf(blob))
  const type = { 'content-type': 'application/octet-stream' }
  await expectOk(await fetch(place, { method: 'PUT', headers: { ...headers, ...type }, body: blob }))
}

async function expectOk(response: Response): Promise<Response> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`)
  await response.body?.cancel()
  return response
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

/** A tar archive (ustar) with one file. */
function tarOf(name: string, text: string): Buffer {
  const header = Buffer.alloc(512)
  const field = (value: string, at: number) => header.write(value, at, 'latin1')
  field(name, 0)
  field('0000644\0', 100)
  field('0000000\0', 108)
  field('0000000\0', 116)
  field(`${Buffer.byteLength(text).toString(8).padStart(11, '0')}\0`, 124)
  field('00000000000\0', 136)
  field('        0', 148)
  field('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  field(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512)
  body.write(text)
  return Buffer.concat([header, body, Buffer.alloc(1024)])
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function present(): boolean {
  try {
    execFileSync('docker-registry', ['--help'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
