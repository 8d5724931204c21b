/** A pod's template from the words of a command line: containers, volumes, labels. Pure but for `--env-file`. */
import type { Container, PodSpec, Volume } from '../../api/types.ts'
import { CommandError } from '../io.ts'
import { FlagValues, makeContainer, refuseTwice } from './container.ts'
import * as value from './values.ts'
import { Volumes } from './volumes.ts'
import type { ContainerWords, Given, Words } from './words.ts'

export interface PodParts {
  labels: Record<string, string>
  annotations: Record<string, string>
  spec: PodSpec
  /** The container whose streams the command has, when there is one. */
  attached?: { name: string; stdin: boolean; tty: boolean }
}

/** The label that every object made for a name bears. */
export const RUN_LABEL = 'skiff.dev/run'

/** What tells the pods of one name from all others. */
export const selectorOf = ({ app = '', [RUN_LABEL]: run = '' }: Record<string, string>) => ({ app, [RUN_LABEL]: run })

/** What is there already, of a draft that gets more. */
export interface Existing {
  containers: readonly Container[]
  volumes: readonly Volume[]
}

export function makePod(name: string, words: Words, env: NodeJS.ProcessEnv, existing?: Existing): PodParts {
  const { containers: asked, all } = words
  refuseTwice(all)
  const volumes = new Volumes(existing?.volumes)
  const shared = sharedFlags(words)
  const names = containerNames(name, asked, existing?.containers ?? [])
  const context = { env, volumes }
  const made = asked.map((one, index) => makeContainer(names[index]!, one, ownFlags(shared, index), context))
  const containers = [...(existing?.containers ?? []), ...made]
  refuseSamePorts(containers)
  const flags = new FlagValues(all)
  const network = flags.last('network')
  if (network !== undefined && network !== 'host') throw new CommandError(`--network ${network} is not supported: host`)
  const labels = Object.fromEntries(flags.all('label').map((text) => value.pair('--label', text)))
  const attached = attachedOf(containers)
  return {
    labels: { app: name, ...labels, [RUN_LABEL]: name },
    annotations: Object.fromEntries(flags.all('annotation').map((text) => value.pair('--annotation', text))),
    spec: {
      ...flags.as('hostname', 'hostname', String),
      ...(network === 'host' && { hostNetwork: true }),
      ...flags.as('service-account', 'serviceAccountName', String),
      containers,
      ...(volumes.all.length > 0 && { volumes: volumes.all }),
    },
    ...(attached && { attached }),
  }
}

export function flagsWithoutContainer({ shared }: Words): CommandError {
  const [first] = shared
  return new CommandError(first ? `${first.text} has no container: --image is missing` : '--image is missing')
}

/** Before the first image a flag of one container needs that there is only one; `-it` goes to the first. */
function sharedFlags({ shared, containers }: Words): Given[] {
  const meant = shared.filter(({ definition }) => definition.name !== 'name')
  const stray = meant.find(({ definition }) => definition.owner === 'container' && !isStream(definition.name))
  if (stray && containers.length > 1)
    throw new CommandError(
      `${stray.text} has no container: before the first --image it could be any of ${containers.length}; put it after one`,
    )
  return meant
}

const isStream = (name: string) => name === 'interactive' || name === 'tty'

function ownFlags(shared: readonly Given[], index: number): Given[] {
  return shared.filter(({ definition }) => index === 0 || !isStream(definition.name))
}

/** A single container has the name of the whole; others are named for their images, apart by numbers. */
function containerNames(name: string, containers: readonly ContainerWords[], existing: readonly Container[]): string[] {
  const taken = new Set(existing.map((one) => one.name))
  const isOnly = containers.length + existing.length === 1
  const said = containers.map(({ given }) => new FlagValues(given).all('name'))
  for (const names of said)
    if (names.length > 1) throw new CommandError(`one container cannot have two names: ${names.join(', ')}`)
  return containers.map(({ image }, index) => {
    const own = said[index]![0]
    const base = own ?? labelOf(isOnly ? name : baseOf(image))
    let unique = base
    for (let n = 2; own === undefined && taken.has(unique); n++) unique = `${base}-${n}`
    if (taken.has(unique)) throw new CommandError(`two containers are named ${unique}`)
    taken.add(unique)
    return unique
  })
}

/** An image's last part without tag and digest. */
export function baseOf(image: string): string {
  return image.split('@')[0]!.split('/').at(-1)!.split(':')[0]!
}

export function labelOf(text: string): string {
  const plain = text.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')
  return plain.slice(0, 63).replaceAll(/^-+|-+$/g, '') || 'main'
}

function refuseSamePorts(containers: readonly Container[]): void {
  const seen = new Map<string, string>()
  for (const { name, ports = [] } of containers)
    for (const { containerPort, protocol = 'TCP' } of ports) {
      const key = `${containerPort}/${protocol}`
      const other = seen.get(key)
      if (other !== undefined)
        throw new CommandError(
          `port ${containerPort} is given ${other === name ? 'twice' : `to ${other} and to ${name}, which share an address`}`,
        )
      seen.set(key, name)
    }
}

/** Throws CommandError when two want the terminal. */
export function attachedOf(containers: readonly Container[]): PodParts['attached'] {
  const streaming = containers.filter(({ stdin, tty }) => stdin || tty)
  const [first, second] = streaming
  if (!first) return undefined
  if (second) throw new CommandError(`-i or -t for both ${first.name} and ${second.name}: there is one terminal`)
  return { name: first.name, stdin: first.stdin === true, tty: first.tty === true }
}
