/** What `run` makes: from the words, the objects in the order of their making, and how the command goes on. Sends nothing. */
import type { KubeObject } from '../../api/object.ts'
import type { Service } from '../../api/types.ts'
import type { ResourceRef } from '../../client/client.ts'
import { deployments, jobs, pods, replicationControllers } from '../../client/resources.ts'
import { CommandError } from '../io.ts'
import { FlagValues } from './container.ts'
import { baseOf, flagsWithoutContainer, labelOf, makePod, type PodParts, selectorOf } from './pod.ts'
import { makeService } from './service.ts'
import * as value from './values.ts'
import type { Words } from './words.ts'

export type RunAs = 'deployment' | 'rc' | 'pod' | 'job'

export interface RunPlan {
  readonly name: string
  readonly as: RunAs
  readonly resource: ResourceRef<KubeObject>
  readonly object: KubeObject
  /** Goes with the object: it will be owned by it. */
  readonly service?: Service
  /** To its end, which the command waits for unless `detach`. */
  readonly once: boolean
  readonly detach: boolean
  readonly remove: boolean
  readonly containers: readonly string[]
  readonly attached?: PodParts['attached']
}

export interface RunSurroundings {
  readonly namespace: string
  readonly env: NodeJS.ProcessEnv
  /** From 0 to 1, for names that nobody gave. */
  readonly random: () => number
}

/** Read by skiff's own node agent; see there. */
const START_WHEN_ATTACHED = 'skiff.dev/start-when-attached'
/** How long what is to be removed stays after its end, so that whoever watches sees it. */
const REMOVED_AFTER_SECONDS = 30

/** Throws CommandError for what contradicts itself. */
export function planRun(words: Words, { namespace, env, random }: RunSurroundings): RunPlan {
  if (words.containers.length === 0) throw flagsWithoutContainer(words)
  const name = nameOf(words, random)
  const asked = { namespace, flags: new FlagValues(words.all), hasArguments: words.containers.some(({ args }) => args) }
  return planParts(name, asked, makePod(name, words, env))
}

export interface Asked {
  namespace: string
  flags: FlagValues
  hasArguments: boolean
  /** What is made unless `--as` says otherwise; absent: what goes with how long it runs. */
  prefers?: RunAs
}

export function planParts(name: string, asked: Asked, parts: PodParts): RunPlan {
  const { namespace, flags } = asked
  const restart = flags.map('restart', value.restart)
  const mode = decide(asked, restart, parts)
  const template = templateOf(parts, mode, restart)
  const service = serviceOf(name, flags, parts)
  return {
    ...{ name, ...mode },
    ...objectOf(name, namespace, flags, mode, restart, template),
    ...(service && { service: { ...service, metadata: { ...service.metadata, namespace } } }),
    containers: parts.spec.containers.map((container) => container.name),
    ...(!mode.detach && parts.attached && { attached: parts.attached }),
  }
}

/** The word, or `--name` before the first image, or one made of the image, as docker makes some up. */
function nameOf({ names, shared, containers }: Words, random: () => number): string {
  const said = [...names, ...new FlagValues(shared).all('name')]
  if (said.length > 1) throw new CommandError(`two names for one thing: ${said.join(', ')}`)
  if (said[0] !== undefined) return said[0]
  const image = containers[0]?.image
  if (image === undefined) return ''
  const letters = Array.from({ length: 5 }, () => 'bcdfghjklmnpqrstvwxz2456789'[Math.floor(random() * 27)])
  return `${labelOf(baseOf(image)).slice(0, 50)}-${letters.join('')}`
}

interface Mode {
  as: RunAs
  once: boolean
  detach: boolean
  remove: boolean
}

function decide({ flags, hasArguments, prefers }: Asked, restart: value.Restart | undefined, parts: PodParts): Mode {
  const asked = flags.last('as')
  if (asked !== undefined && !['deployment', 'rc', 'pod', 'job'].includes(asked))
    throw new CommandError(`--as ${asked} is not supported: pod, job, deployment or rc`)
  const toEnd = reasons([
    ['--once', flags.has('once')],
    ['-i or -t', parts.attached !== undefined],
    ['--rm', flags.has('rm')],
    ['--as job', asked === 'job'],
    [`--restart ${flags.last('restart')}`, restart !== undefined && restart.policy !== 'Always'],
  ])
  const forever = reasons([
    ['--forever', flags.has('forever')],
    ['--replicas', flags.has('replicas')],
    [`--as ${asked}`, asked === 'deployment' || asked === 'rc'],
    ['--restart always', restart?.policy === 'Always'],
  ])
  if (toEnd[0] && forever[0])
    throw new CommandError(`${toEnd[0]} and ${forever[0]} contradict each other: one runs to its end, the other for ever`)
  const once = toEnd.length > 0 || (forever.length === 0 && hasArguments)
  const remove = flags.has('rm')
  const detach = flags.has('detach')
  const counted = restart?.retries !== undefined
  const as = (asked as RunAs | undefined) ?? (remove || counted ? 'job' : (prefers ?? (once ? 'pod' : 'deployment')))
  refuseConflicts(as, flags, parts)
  return { as, once, detach, remove }
}

function reasons(all: readonly [string, boolean][]): string[] {
  return all.filter(([, holds]) => holds).map(([text]) => text)
}

function refuseConflicts(as: RunAs, flags: FlagValues, { attached }: PodParts): void {
  if (flags.has('replicas') && (as === 'pod' || as === 'job')) throw new CommandError(`--replicas does not go with a ${as}`)
  if (flags.has('rm') && as === 'pod')
    throw new CommandError('--rm does not go with --as pod: of its own a cluster removes only what a job has ended')
  if (flags.last('restart')?.includes(':') && as === 'pod')
    throw new CommandError('--restart on-failure:COUNT does not go with --as pod: only a job counts')
  if (flags.has('detach') && attached) throw new CommandError('--detach does not go with -i or -t')
}

function templateOf({ labels, annotations, spec, attached }: PodParts, mode: Mode, restart: value.Restart | undefined) {
  const policy = restart?.policy ?? (mode.once ? 'Never' : undefined)
  const held = attached && !mode.detach ? { [START_WHEN_ATTACHED]: attached.name } : {}
  const all = { ...annotations, ...held }
  // With `stdinOnce` the input ends when whoever is attached has gone: a terminal that can be left and joined again stays open.
  const once = attached?.stdin && (!attached.tty || mode.remove) ? attached.name : undefined
  const containers = spec.containers.map((one) => (one.name === once ? { ...one, stdinOnce: true } : one))
  return {
    metadata: { labels, ...(Object.keys(all).length > 0 && { annotations: all }) },
    spec: { ...spec, containers, ...(policy && { restartPolicy: policy }) },
  }
}

function serviceOf(name: string, flags: FlagValues, { labels, spec }: PodParts): Service | undefined {
  const text = flags.last('expose')
  return text === undefined ? undefined : makeService(name, text, labels, spec.containers)
}

function objectOf(
  name: string,
  namespace: string,
  flags: FlagValues,
  { as, remove, detach }: Mode,
  restart: value.Restart | undefined,
  template: ReturnType<typeof templateOf>,
): { resource: ResourceRef<KubeObject>; object: KubeObject } {
  const { labels } = template.metadata
  const metadata = { name, namespace, labels }
  const replicas = value.count('--replicas', flags.last('replicas') ?? '1')
  const selector = selectorOf(labels)
  switch (as) {
    case 'deployment': {
      const spec = { replicas, selector: { matchLabels: selector }, template }
      return { resource: untyped(deployments), object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec } }
    }
    case 'rc': {
      const spec = { replicas, selector, template }
      return {
        resource: untyped(replicationControllers),
        object: { apiVersion: 'v1', kind: 'ReplicationController', metadata, spec },
      }
    }
    case 'job': {
      const after = remove ? { ttlSecondsAfterFinished: detach ? 0 : REMOVED_AFTER_SECONDS } : {}
      const spec = { backoffLimit: restart?.retries ?? 0, ...after, template }
      return { resource: untyped(jobs), object: { apiVersion: 'batch/v1', kind: 'Job', metadata, spec } }
    }
    case 'pod': {
      const whole = { ...template.metadata, ...metadata }
      return { resource: untyped(pods), object: { apiVersion: 'v1', kind: 'Pod', metadata: whole, spec: template.spec } }
    }
  }
}

const untyped = <T>(resource: ResourceRef<T>) => resource as ResourceRef<KubeObject>
