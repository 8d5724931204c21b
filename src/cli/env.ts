/** `skiff env`: the variables of a pod's containers: what they are, where each comes from, whether that has moved on since. */
import type { KubeObject } from '../api/object.ts'
import { isNotFound, StatusError } from '../api/status.ts'
import type { Pod } from '../api/types.ts'
import type { ResourceRef } from '../client/client.ts'
import { relatedThrough } from '../client/related.ts'
import { configMaps, nodes, secrets } from '../client/resources.ts'
import { type EnvReader, type VariableRow, variablesOf } from './env-values.ts'
import { chooseContainer, findPods } from './find-pods.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { NEEDS } from './names/needs.ts'
import { type GlobalOptions, type Session, withSession } from './session.ts'
import { formatTable } from './table.ts'

export interface EnvOptions extends GlobalOptions {
  /** A pod, or what has pods. */
  name: string
  container?: string | undefined
  output?: string | undefined
  showSecrets?: boolean | undefined
}

/** Longer values are cut in the table, and whole in JSON. */
const MAX_SHOWN = 60

export async function runEnv(options: EnvOptions, io: Io): Promise<number> {
  const { name, output } = options
  if (output !== undefined && output !== 'json') throw new CommandError(`-o ${output} is not known here, only json`)
  return withSession(options, io, async (session) => {
    const { pods, owner } = await findPods(name, session, NEEDS.env)
    const pod = pods[0]!
    if (owner && pods.length > 1) writeLine(io.stderr, `Found ${pods.length} pods, using pod/${pod.metadata.name}`)
    const rows = await rowsOf(pod, options, session)
    if (output === 'json') io.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
    else io.stdout.write(tableOf(rows))
    if (rows.length === 0) writeLine(io.stderr, `pod/${pod.metadata.name} sets no variables.`)
    return 0
  })
}

async function rowsOf(pod: Pod, options: EnvOptions, session: Session): Promise<VariableRow[]> {
  const only = options.container === undefined ? undefined : chooseContainer(pod, options.container).name
  const reader = readerOf(pod, options.showSecrets === true, session)
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  const rows: VariableRow[] = []
  for (const container of containers) {
    if (only === undefined || container.name === only) rows.push(...(await variablesOf(pod, container, reader)))
  }
  return rows
}

function readerOf(pod: Pod, showSecrets: boolean, { client }: Session): EnvReader {
  const namespace = pod.metadata.namespace ?? ''
  const known = new Map<string, Promise<unknown>>()
  const once = <T extends object>(resource: ResourceRef<T>, name: string, where: { namespace?: string }) => {
    const key = `${resource.plural}/${name}`
    const reading = known.get(key) ?? client.get(resource, name, where).catch(absent)
    known.set(key, reading)
    return reading as Promise<T | undefined>
  }
  return {
    showSecrets,
    related: relatedThrough(client),
    configMap: (name) => once(configMaps, name, { namespace }),
    secret: (name) => once(secrets, name, { namespace }),
    async allocatable() {
      try {
        const node: KubeObject | undefined = pod.spec?.nodeName ? await once(nodes, pod.spec.nodeName, {}) : undefined
        return node?.status?.allocatable ?? {}
      } catch (error) {
        // Only limits that a container does not have depend on it.
        if (error instanceof StatusError && error.code === 403) return {}
        throw error
      }
    },
  }
}

function absent(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}

function tableOf(rows: readonly VariableRow[]): string {
  const cells = rows.map(({ container, name, value, source, moved }) => [container, name, shown(value), source, moved ?? 'no'])
  return formatTable(['CONTAINER', 'VARIABLE', 'VALUE', 'SOURCE', 'MOVED ON SINCE'], cells)
}

function shown(value: string | undefined): string {
  if (value === undefined) return '<none>'
  const line = value.replaceAll('\n', '\\n')
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN - 1)}…` : line
}
