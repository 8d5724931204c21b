/**
 * The credentials that `docker login` left: `auths` of its file, and the helpers that keep passwords elsewhere. A helper is a
 * program `docker-credential-NAME` on the path, which is run for the one registry that is asked for.
 */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type AuthEntry, credentialsOf, type RegistryCredential, registryOfKey, TOKEN_USER } from './credentials.ts'
import { namesOf } from './origin.ts'
import type { ImageReference } from './reference.ts'

/** What it is worth, and why some of it could not be read: nothing of that keeps a public image from being asked for. */
export interface FoundCredentials {
  credentials: RegistryCredential[]
  complaints: string[]
}

interface DockerConfig {
  auths?: Record<string, AuthEntry>
  /** Helper by registry. */
  credHelpers?: Record<string, string>
  /** The helper for all other registries. */
  credsStore?: string
}

const HELPER_TIMEOUT_MS = 10_000
/** The key under which Docker keeps what belongs to its hub. */
const HUB_KEY = 'https://index.docker.io/v1/'

/** `env` may name the file's directory in DOCKER_CONFIG. The file is read anew each time. */
export async function dockerCredentials(reference: ImageReference, env: NodeJS.ProcessEnv): Promise<FoundCredentials> {
  const file = join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'config.json')
  const complaints: string[] = []
  const config = await readConfig(file, complaints)
  const credentials = credentialsOf(config.auths ?? {})
  const helper = helperFor(config, reference)
  if (helper !== undefined) {
    try {
      const found = await askHelper(helper, reference, env)
      if (found) credentials.unshift(found)
    } catch (error) {
      complaints.push(`${file}: docker-credential-${helper}: ${(error as Error).message}`)
    }
  }
  return { credentials, complaints }
}

async function readConfig(file: string, complaints: string[]): Promise<DockerConfig> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') complaints.push(message)
    return {}
  }
  try {
    return (JSON.parse(text) ?? {}) as DockerConfig
  } catch {
    complaints.push(`${file}: is not JSON`)
    return {}
  }
}

function helperFor({ credHelpers = {}, credsStore }: DockerConfig, { registry }: ImageReference): string | undefined {
  const names = namesOf(registry)
  const own = Object.entries(credHelpers).find(([key]) => names.includes(registryOfKey(key)))
  return own?.[1] || credsStore || undefined
}

/** Undefined when the helper knows nothing of the registry. */
async function askHelper(
  helper: string,
  { registry }: ImageReference,
  env: NodeJS.ProcessEnv,
): Promise<RegistryCredential | undefined> {
  // The name comes from a file; it is a name on the path, not a way to anywhere.
  if (!/^[\w.-]+$/.test(helper)) throw new Error('is no name of a helper')
  const { code, output } = await runHelper(helper, registry === 'docker.io' ? HUB_KEY : registry, env)
  if (code !== 0) {
    if (/not found/i.test(output)) return undefined
    throw new Error(output.trim().split('\n')[0] || `exit code ${code}`)
  }
  const { Username = '', Secret = '' } = answerOf(output)
  if (Username === TOKEN_USER) return { registry, username: Username, password: '', identityToken: Secret }
  return Secret === '' ? undefined : { registry, username: Username, password: Secret }
}

function answerOf(output: string): { Username?: string; Secret?: string } {
  try {
    return JSON.parse(output) as { Username?: string; Secret?: string }
  } catch {
    // What it said may hold the password.
    throw new Error('did not answer with JSON')
  }
}

function runHelper(helper: string, server: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, ['get'], {
      ...{ env, timeout: HELPER_TIMEOUT_MS, killSignal: 'SIGKILL', stdio: ['pipe', 'pipe', 'ignore'] },
    })
    let output = ''
    child.on('error', (error) => reject(new Error(innermostOfSpawn(error), { cause: error })))
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
    // A helper that ends without reading is judged by its exit code.
    child.stdin.on('error', () => {})
    child.stdin.end(`${server}\n`)
    child.on('close', (code, signal) => {
      if (signal === null) resolve({ code, output })
      else reject(new Error(`did not answer within ${HELPER_TIMEOUT_MS / 1000} s`))
    })
  })
}

function innermostOfSpawn(error: NodeJS.ErrnoException): string {
  return error.code === 'ENOENT' ? 'there is no such program on the path' : error.message
}
