/** A place for acceptance scripts to run in: a namespace of their own on some cluster, and a shell with skiff on its path. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { dump, load } from 'js-yaml'
import { difference, type Outcome, type Script, type Step } from '../../acceptance/script.ts'
import { type Environment, run, SKIFF, skiff, start, until } from './skiff.ts'

/** How long a step that is repeated may take to come true. */
const REPEAT_MS = 120_000
const REPEAT_PAUSE_MS = 200

export interface Place {
  /** The namespace, which is the context's own. */
  readonly namespace: string
  /** Runs the script's steps in order. Throws at the first that does not as expected. */
  play(script: Script): Promise<void>
  /** Takes the namespace away; the cluster stays. */
  close(): Promise<void>
}

export interface PlaceOptions {
  /** Of a kubeconfig whose current context names the cluster. */
  kubeconfig: string
  name: string
  /** `IMAGE` and the like. */
  variables: Environment
}

export async function createPlace({ kubeconfig, name, variables }: PlaceOptions): Promise<Place> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'skiff-acceptance-')))
  const namespace = `acceptance-${name}-${process.pid}-${Date.now() % 100_000}`
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  for (const name of ['skiff', 'kubectl-skiff', 'kubectl_complete-skiff'])
    writeFileSync(join(bin, name), `#!/bin/sh\nexec node ${resolve(SKIFF, '..', name)} "$@"\n`, { mode: 0o755 })
  const work = join(directory, 'work')
  mkdirSync(work)
  const config = join(directory, 'kubeconfig')
  writeFileSync(config, withNamespace(kubeconfig, namespace), { mode: 0o600 })
  const env: Environment = {
    ...variables,
    ...{
      KUBECONFIG: config,
      HOME: directory,
      XDG_CONFIG_HOME: join(directory, 'config'),
      XDG_CACHE_HOME: join(directory, 'cache'),
    },
    ...{ KUBECACHEDIR: join(directory, 'kubecache'), NS: namespace, PATH: `${bin}:${process.env.PATH}` },
    // What is printed is what was typed, whether or not a registry knows the image.
    SKIFF_PIN: 'off',
  }
  const created = await skiff(['create', 'namespace', namespace], env)
  if (created.code !== 0) throw new Error(`the namespace cannot be made: ${created.err}`)
  await until('the default service account', async () => {
    return (await skiff(['get', 'serviceaccount', 'default', '-o', 'name'], env)).code === 0
  })
  return {
    namespace,
    play: async (script) => {
      for (const step of script.steps) await playStep(step, env, work)
    },
    async close() {
      const deleted = await skiff(['delete', `namespace/${namespace}`, '--wait=false'], env)
      rmSync(directory, { recursive: true, force: true })
      if (deleted.code !== 0) throw new Error(`the namespace stays behind: ${deleted.err}`)
    },
  }
}

async function playStep(step: Step, env: Environment, directory: string): Promise<void> {
  const deadline = Date.now() + (step.repeat ? REPEAT_MS : 0)
  for (;;) {
    const outcome: Outcome = await start('sh', ['-c', `cd ${directory}\n${step.command}`], env).result
    const different = difference(step, outcome, env)
    if (different === undefined) return
    if (Date.now() >= deadline) throw new Error(different)
    await delay(REPEAT_PAUSE_MS)
  }
}

export async function missingPrograms(script: Script): Promise<string[]> {
  const found = await Promise.all(
    script.requires.map(async (name) => ({ name, ...(await run('sh', ['-c', `command -v ${name}`])) })),
  )
  return found.filter(({ code }) => code !== 0).map(({ name }) => name)
}

const FILES = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']

interface Kubeconfig {
  'current-context': string
  contexts: { name: string; context: Record<string, string> }[]
  clusters: { cluster: Record<string, string> }[]
  users: { user: Record<string, string> }[]
}

/** The file's text with another namespace in its current context, and files named so that it can lie elsewhere. */
function withNamespace(path: string, namespace: string): string {
  const config = load(readFileSync(path, 'utf8')) as Kubeconfig
  const current = config.contexts.find(({ name }) => name === config['current-context'])
  if (!current) throw new Error(`${path}: no context is current`)
  current.context.namespace = namespace
  for (const part of [...config.clusters.map(({ cluster }) => cluster), ...config.users.map(({ user }) => user)])
    for (const name of FILES) if (part[name]) part[name] = resolve(dirname(path), part[name])
  return dump(config)
}
