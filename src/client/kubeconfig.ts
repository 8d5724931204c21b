/**
 * Where the cluster is and who we are: kubeconfig files as client-go reads them (KUBECONFIG with several files merged,
 * relative paths taken from the file they stand in), and the in-cluster service account when there is no file.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/** All that a connection needs. Certificates and keys are PEM. */
export interface ClusterAccess {
  server: string
  ca?: string
  clientCertificate?: string
  clientKey?: string
  /** Called for each request; a file's or a plugin's token is read again when it has run out. */
  token?: () => Promise<string | undefined>
  username?: string
  password?: string
  insecureSkipTlsVerify?: boolean
  tlsServerName?: string
  /** The context's namespace, `default` without one. */
  namespace: string
  contextName: string
  /** Impersonation headers' values. */
  as?: { user: string; groups: string[] }
}

export class KubeconfigError extends Error {
  override name = 'KubeconfigError'
}

interface Named {
  name: string
}
interface ClusterEntry extends Named {
  cluster: Record<string, unknown>
}
interface UserEntry extends Named {
  user: Record<string, unknown>
}
interface ContextEntry extends Named {
  context: Record<string, unknown>
}
export interface Kubeconfig {
  apiVersion?: string
  kind?: string
  'current-context'?: string
  clusters?: ClusterEntry[]
  users?: UserEntry[]
  contexts?: ContextEntry[]
  [other: string]: unknown
}

const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount'
/** A token file is read again after this time, so that rotated tokens are seen. */
const TOKEN_FILE_TTL_MS = 60_000
/** A credential plugin that takes longer has hung. */
const EXEC_PLUGIN_TIMEOUT_MS = 60_000

/** The files client-go would read: the option, else $KUBECONFIG (several, the first wins), else ~/.kube/config. */
export function kubeconfigPaths(explicit?: string, env: NodeJS.ProcessEnv = process.env): string[] {
  if (explicit) return [explicit]
  if (env.KUBECONFIG) return env.KUBECONFIG.split(path.delimiter).filter(Boolean)
  return [path.join(env.HOME ?? homedir(), '.kube', 'config')]
}

/**
 * Reads and merges the files and resolves one context.
 * Throws KubeconfigError, in one line, for a missing file, context, cluster or user, and for what is not supported.
 */
export async function loadKubeconfig(
  options: {
    kubeconfig?: string | undefined
    context?: string | undefined
    namespace?: string | undefined
    env?: NodeJS.ProcessEnv
  } = {},
): Promise<ClusterAccess> {
  const paths = kubeconfigPaths(options.kubeconfig, options.env)
  const present = paths.filter((file) => existsSync(file))
  if (present.length === 0) {
    const inCluster = options.kubeconfig ? undefined : inClusterAccess(options.env ?? process.env)
    if (inCluster) return inCluster
    throw new KubeconfigError(
      `no kubeconfig at ${paths.join(', ')}: start a cluster with "skiff up", or name one with --kubeconfig`,
    )
  }
  const config = await readMerged(present)
  const contextName = options.context ?? config['current-context']
  if (!contextName) throw new KubeconfigError(`${present.join(', ')} has no current context: choose one with --context`)
  return resolveContext(config, contextName, options.namespace)
}

/** Of the files that are there. */
export async function contextNames(
  options: { kubeconfig?: string | undefined; env?: NodeJS.ProcessEnv } = {},
): Promise<string[]> {
  const present = kubeconfigPaths(options.kubeconfig, options.env).filter((file) => existsSync(file))
  return ((await readMerged(present)).contexts ?? []).map(({ name }) => name)
}

async function readMerged(files: readonly string[]): Promise<Kubeconfig> {
  const merged: Kubeconfig = { clusters: [], users: [], contexts: [] }
  for (const file of files) {
    const part = await readKubeconfig(file)
    merged['current-context'] ||= part['current-context'] ?? ''
    for (const list of ['clusters', 'users', 'contexts'] as const) {
      const known = merged[list] as Named[]
      for (const entry of (part[list] ?? []) as Named[]) if (!known.some((k) => k.name === entry.name)) known.push(entry)
    }
  }
  return merged
}

/** One file, with its relative paths made absolute. */
export async function readKubeconfig(file: string): Promise<Kubeconfig> {
  const text = readFileSync(file, 'utf8')
  let config: Kubeconfig
  try {
    config = (text.trimStart().startsWith('{') ? JSON.parse(text) : (await import('js-yaml')).load(text)) as Kubeconfig
  } catch (error) {
    throw new KubeconfigError(`${file} is not a kubeconfig: ${(error as Error).message.split('\n')[0]}`, { cause: error })
  }
  if (config === null || config === undefined) return {}
  if (typeof config !== 'object' || Array.isArray(config))
    throw new KubeconfigError(`${file} is not a kubeconfig: a mapping is expected`)
  const directory = path.dirname(path.resolve(file))
  for (const { cluster } of config.clusters ?? []) absolute(cluster, ['certificate-authority'], directory)
  for (const { user } of config.users ?? []) absolute(user, ['client-certificate', 'client-key', 'tokenFile'], directory)
  return config
}

function absolute(entry: Record<string, unknown> | undefined, fields: readonly string[], directory: string): void {
  for (const field of fields) {
    const value = entry?.[field]
    if (entry && typeof value === 'string' && value !== '') entry[field] = path.resolve(directory, value)
  }
}

function resolveContext(config: Kubeconfig, contextName: string, namespace?: string): ClusterAccess {
  const context = config.contexts?.find((c) => c.name === contextName)?.context
  if (!context) {
    const known = (config.contexts ?? []).map((c) => c.name).join(', ') || 'none'
    throw new KubeconfigError(`context ${JSON.stringify(contextName)} does not exist (there are: ${known})`)
  }
  const cluster = config.clusters?.find((c) => c.name === context.cluster)?.cluster
  if (!cluster?.server) throw new KubeconfigError(`context ${JSON.stringify(contextName)} names no cluster with a server`)
  if (cluster['proxy-url']) throw new KubeconfigError(`cluster ${JSON.stringify(context.cluster)}: proxy-url is not supported`)
  const user = config.users?.find((u) => u.name === context.user)?.user ?? {}
  if (user['auth-provider'])
    throw new KubeconfigError(`user ${JSON.stringify(context.user)}: auth-provider is not supported; use exec`)
  const ca = pem(cluster, 'certificate-authority')
  const clientCertificate = pem(user, 'client-certificate')
  const clientKey = pem(user, 'client-key')
  const token = tokenSource(user)
  return {
    server: String(cluster.server),
    namespace: namespace ?? (context.namespace as string | undefined) ?? 'default',
    contextName,
    ...(ca && { ca }),
    ...(clientCertificate && { clientCertificate }),
    ...(clientKey && { clientKey }),
    ...(token && { token }),
    ...(typeof user.username === 'string' && { username: user.username, password: String(user.password ?? '') }),
    ...(cluster['insecure-skip-tls-verify'] === true && { insecureSkipTlsVerify: true }),
    ...(typeof cluster['tls-server-name'] === 'string' && { tlsServerName: cluster['tls-server-name'] }),
    ...(typeof user.as === 'string' && { as: { user: user.as, groups: (user['as-groups'] as string[] | undefined) ?? [] } }),
  }
}

/** `field-data` (base64) wins over `field` (a path), as in client-go. */
function pem(entry: Record<string, unknown>, field: string): string | undefined {
  const data = entry[`${field}-data`]
  if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64').toString('utf8')
  const file = entry[field]
  if (typeof file !== 'string' || file === '') return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new KubeconfigError(`cannot read ${field} ${file}: ${(error as Error).message}`, { cause: error })
  }
}

function tokenSource(user: Record<string, unknown>): ClusterAccess['token'] {
  if (typeof user.token === 'string' && user.token !== '') {
    const token = user.token
    return async () => token
  }
  if (typeof user.tokenFile === 'string' && user.tokenFile !== '') return fileToken(user.tokenFile)
  if (user.exec && typeof user.exec === 'object') return execToken(user.exec as ExecPlugin)
  return undefined
}

function fileToken(file: string): () => Promise<string> {
  let token = ''
  let readAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (performance.now() - readAt > TOKEN_FILE_TTL_MS) {
      token = readFileSync(file, 'utf8').trim()
      readAt = performance.now()
    }
    return token
  }
}

interface ExecPlugin {
  command: string
  args?: string[]
  env?: { name: string; value: string }[]
  apiVersion?: string
}

/** A credential plugin (client.authentication.k8s.io): run, and run again when its token has expired. */
function execToken(plugin: ExecPlugin): () => Promise<string | undefined> {
  let known: { token: string | undefined; expiresAtMs: number } | undefined
  return async () => {
    if (known && known.expiresAtMs > Date.now()) return known.token
    const info = { apiVersion: plugin.apiVersion, kind: 'ExecCredential', spec: { interactive: false } }
    const env = { ...process.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) }
    for (const { name, value } of plugin.env ?? []) (env as Record<string, string>)[name] = value
    const output = await new Promise<string>((resolve, reject) => {
      execFile(plugin.command, plugin.args ?? [], { env, timeout: EXEC_PLUGIN_TIMEOUT_MS }, (error, stdout, stderr) => {
        if (error)
          reject(
            new KubeconfigError(`credential plugin ${plugin.command} failed: ${stderr.trim() || error.message}`, {
              cause: error,
            }),
          )
        else resolve(stdout)
      })
    })
    const status =
      (JSON.parse(output) as { status?: { token?: string; expirationTimestamp?: string; clientCertificateData?: string } })
        .status ?? {}
    if (status.clientCertificateData)
      throw new KubeconfigError(
        `credential plugin ${plugin.command}: client certificates from plugins are not supported, only tokens`,
      )
    known = {
      token: status.token,
      expiresAtMs: status.expirationTimestamp ? Date.parse(status.expirationTimestamp) : Number.POSITIVE_INFINITY,
    }
    return known.token
  }
}

/** The access a pod has by its mounted service account, or undefined outside a cluster. */
export function inClusterAccess(env: NodeJS.ProcessEnv): ClusterAccess | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  const tokenFile = path.join(SERVICE_ACCOUNT_DIRECTORY, 'token')
  if (!host || !port || !existsSync(tokenFile)) return undefined
  const namespaceFile = path.join(SERVICE_ACCOUNT_DIRECTORY, 'namespace')
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: readFileSync(path.join(SERVICE_ACCOUNT_DIRECTORY, 'ca.crt'), 'utf8'),
    token: fileToken(tokenFile),
    namespace: existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8').trim() : 'default',
    contextName: 'in-cluster',
  }
}
