/** Adds a cluster's context to a kubeconfig and takes it out again. Everything else in the file stays; the file is replaced whole. */
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Kubeconfig, KubeconfigError } from './kubeconfig.ts'

/** Certificates and key are PEM. */
export interface NewContext {
  name: string
  server: string
  ca: string
  cert: string
  key: string
}

/** Cluster, user and context of the same name are put in or replaced, and the context becomes the current one. Throws KubeconfigError. */
export async function addContext(file: string, { name, server, ca, cert, key }: NewContext): Promise<void> {
  const config = await read(file)
  const encode = (pem: string) => Buffer.from(pem).toString('base64')
  const cluster = { server, 'certificate-authority-data': encode(ca) }
  const user = { 'client-certificate-data': encode(cert), 'client-key-data': encode(key) }
  config.apiVersion ??= 'v1'
  config.kind ??= 'Config'
  config.clusters = replaced(config.clusters, { name, cluster })
  config.users = replaced(config.users, { name, user })
  config.contexts = replaced(config.contexts, { name, context: { cluster: name, user: name } })
  config['current-context'] = name
  await write(file, config)
}

/** Takes cluster, user and context of this name out, if they are there; the current context too when it is this one. */
export async function removeContext(file: string, name: string): Promise<void> {
  if (!existsSync(file)) return
  const config = await read(file)
  const other = (entry: { name: string }) => entry.name !== name
  if (config.contexts?.every(other) && config.clusters?.every(other) && config.users?.every(other)) return
  if (config.clusters) config.clusters = config.clusters.filter(other)
  if (config.users) config.users = config.users.filter(other)
  if (config.contexts) config.contexts = config.contexts.filter(other)
  if (config['current-context'] === name) config['current-context'] = ''
  await write(file, config)
}

function replaced<T extends { name: string }>(entries: T[] | undefined | null, entry: T): T[] {
  return [...(entries ?? []).filter((known) => known.name !== entry.name), entry]
}

/** As it stands, relative paths untouched. */
async function read(file: string): Promise<Kubeconfig> {
  if (!existsSync(file)) return {}
  const { load } = await import('js-yaml')
  let config: unknown
  try {
    const text = readFileSync(file, 'utf8')
    config = text.trim() === '' ? {} : load(text)
  } catch (error) {
    const why = (error as Error).message.split('\n')[0]
    throw new KubeconfigError(`${file} is not a kubeconfig and is left as it is: ${why}`, { cause: error })
  }
  if (config === null || config === undefined) return {}
  if (typeof config !== 'object' || Array.isArray(config))
    throw new KubeconfigError(`${file} is not a kubeconfig and is left as it is: a mapping is expected`)
  return config as Kubeconfig
}

async function write(file: string, config: Kubeconfig): Promise<void> {
  const { dump } = await import('js-yaml')
  // A link to the file stays a link.
  const target = existsSync(file) ? realpathSync(file) : file
  mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 })
  const draft = `${target}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(draft, dump(config, { noRefs: true, lineWidth: -1 }), { mode: 0o600, flush: true })
    chmodSync(draft, 0o600)
    renameSync(draft, target)
  } catch (error) {
    rmSync(draft, { force: true })
    throw new KubeconfigError(`cannot write ${file}: ${(error as Error).message}`, { cause: error })
  }
}
