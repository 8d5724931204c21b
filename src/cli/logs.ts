/** `skiff logs`: the output of one container, or of several at once. */
import { once } from 'node:events'
import { PRE_START_PREFIX, preStartName } from '../api/extensions/pre-start.ts'
import type { Pod } from '../api/types.ts'
import { objectPath } from '../client/paths.ts'
import { pods as podResource } from '../client/resources.ts'
import { chooseContainer, findPods } from './find-pods.ts'
import { CommandError, INTERRUPTED, type Io, writeLine } from './io.ts'
import { type GlobalOptions, type Session, withSession } from './session.ts'

export interface LogsOptions extends GlobalOptions {
  pod: string | undefined
  container?: string | undefined
  follow?: boolean
  previous?: boolean
  /** Milliseconds. */
  since?: number
  sinceTime?: string
  tail?: number
  timestamps?: boolean
  selector?: string
  allContainers?: boolean
  prefix?: boolean
  /** `pre-start`: what the container's hook wrote. */
  stage?: string
}

/** With a selector, the last lines of each pod only, unless told otherwise. */
const SELECTOR_TAIL = 10
/** Followed at once; each is a connection. */
const MAX_FOLLOWED = 50

interface Source {
  pod: Pod
  container: string
}

export async function runLogs(options: LogsOptions, io: Io): Promise<number> {
  if ((options.pod === undefined) === (options.selector === undefined))
    throw new CommandError('either a pod or --selector is needed')
  if (options.since !== undefined && options.sinceTime !== undefined)
    throw new CommandError('--since and --since-time cannot be given together')
  if (options.stage !== undefined && options.stage !== 'pre-start')
    throw new CommandError(`--stage ${JSON.stringify(options.stage)}: the only stage with a log of its own is pre-start`)
  if (options.stage !== undefined && options.allContainers)
    throw new CommandError('--stage and --all-containers cannot be given together')
  return withSession(options, io, async (session) => {
    const sources = await findSources(options, session, io)
    if (options.follow && sources.length > MAX_FOLLOWED)
      throw new CommandError(`${sources.length} containers are more than can be followed at once (${MAX_FOLLOWED})`)
    if (options.follow) await Promise.all(sources.map((source) => copyLog(source, options, session, io)))
    else for (const source of sources) await copyLog(source, options, session, io)
    return io.signal.aborted ? INTERRUPTED : 0
  })
}

async function findSources(options: LogsOptions, session: Session, io: Io): Promise<Source[]> {
  const { pod: word, selector, allContainers, container } = options
  const pods =
    word === undefined
      ? (await session.client.list(podResource, { namespace: session.namespace, labelSelector: selector })).items
      : await onePod(word, session, io)
  if (pods.length === 0) writeLine(io.stderr, `No resources found in ${session.namespace} namespace.`)
  return pods.flatMap((pod) => {
    if (allContainers) {
      const { initContainers = [], containers = [] } = pod.spec ?? {}
      return [...initContainers, ...containers].map(({ name }) => ({ pod, container: name ?? '' }))
    }
    const chosen = chooseContainer(pod, container)
    if (chosen.note) writeLine(io.stderr, chosen.note)
    return [{ pod, container: options.stage === undefined ? chosen.name : hookOf(pod, chosen.name) }]
  })
}

/** The init container that the hook of a container became. */
function hookOf({ metadata, spec }: Pod, container: string): string {
  const name = preStartName(container)
  if (spec?.initContainers?.some((one) => one.name === name)) return name
  throw new CommandError(
    `container ${container} of pod ${metadata.name} has no pre-start hook; see the annotation ${PRE_START_PREFIX}${container}`,
  )
}

async function onePod(word: string, session: Session, io: Io): Promise<Pod[]> {
  const { pods, owner } = await findPods(word, session)
  if (owner && pods.length > 1) writeLine(io.stderr, `Found ${pods.length} pods, using pod/${pods[0]!.metadata?.name}`)
  return pods.slice(0, 1)
}

async function copyLog({ pod, container }: Source, options: LogsOptions, session: Session, io: Io): Promise<void> {
  const name = pod.metadata?.name ?? ''
  const tail = options.tail ?? (options.selector === undefined ? undefined : SELECTOR_TAIL)
  const stream = await session.client.transport.stream({
    method: 'GET',
    path: objectPath(podResource, name, session.namespace, 'log'),
    query: {
      container,
      ...(options.follow && { follow: 'true' }),
      ...(options.previous && { previous: 'true' }),
      ...(options.timestamps && { timestamps: 'true' }),
      ...(options.since !== undefined && { sinceSeconds: String(Math.max(1, Math.ceil(options.since / 1000))) }),
      ...(options.sinceTime !== undefined && { sinceTime: options.sinceTime }),
      ...(tail !== undefined && tail >= 0 && { tailLines: String(tail) }),
    },
    signal: io.signal,
  })
  const prefix = options.prefix ? `[pod/${name}/${container}] ` : undefined
  try {
    if (prefix === undefined) for await (const chunk of stream) await write(io, chunk as Buffer)
    else await copyLines(stream, prefix, io)
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
}

/** Whole lines, so that those of several containers do not mix. */
async function copyLines(stream: AsyncIterable<Buffer>, prefix: string, io: Io): Promise<void> {
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      await write(io, Buffer.concat([Buffer.from(prefix), rest.subarray(0, end + 1)]))
      rest = rest.subarray(end + 1)
    }
  }
  if (rest.length > 0) await write(io, Buffer.concat([Buffer.from(prefix), rest, Buffer.from('\n')]))
}

async function write(io: Io, chunk: Buffer): Promise<void> {
  if (!io.stdout.write(chunk)) await once(io.stdout, 'drain')
}
