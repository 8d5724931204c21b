/** Which workload the commands that roll are to act on: one, of a kind that can be rolled, found as every command finds its objects. */
import type { DiscoveredResource } from '../client/discovery.ts'
import { currentControllerOf, type RollKind, type RollTarget } from '../rollout/index.ts'
import { CommandError, type Io } from './io.ts'
import { type Manifest, namespaceOf, readManifests, resourceOf } from './manifests.ts'
import { handleOf, isBuiltIn } from './names/candidate.ts'
import { NEEDS, type Needs } from './names/needs.ts'
import { type Selected, selectObjects } from './select-objects.ts'
import type { GlobalOptions, Session } from './session.ts'

/** How the workload is named on the command line. */
export interface RolledWords extends Pick<GlobalOptions, 'namespace'> {
  words: readonly string[]
  files?: readonly string[] | undefined
  recursive?: boolean | undefined
}

export interface Rolled {
  readonly target: RollTarget
  /** Of the cluster, with the namespace in which the workload lies. */
  readonly place: Session
  /** What another command may call it. */
  readonly name: string
}

/** Throws CommandError as every command does: exit code 3 for a name that means several, 1 for one that means none. */
export async function findRolled(options: RolledWords, verb: string, session: Session, io: Io): Promise<Rolled> {
  const { words, files = [] } = options
  let selected: Selected[]
  try {
    selected = await selectObjects(options, session, io, { ...NEEDS.roll, verb })
  } catch (error) {
    const made = await madeByRolls(error, words, session)
    if (!made) throw error
    return made
  }
  // A manifest may hold what goes with the workload, too.
  const meant = files.length > 0 ? selected.filter(({ resource }) => kindOf(resource) !== undefined) : selected
  const only = theOnly(meant.length > 0 ? meant : selected, verb)
  const [word = ''] = words
  return { ...rolledAs(only, session), ...(words.length === 1 && only.byName && { name: word }) }
}

/** The controller of another name that a roll is to lead to: of the same kind. */
export async function findOther(word: string, { target, place }: Rolled, io: Io): Promise<string> {
  const ofKind: Needs = {
    ...NEEDS.roll,
    rank: (resource) => (kindOf(resource) === target.kind ? 0 : undefined),
    what: `a ${target.kind}, as ${target.name} is one`,
  }
  const only = theOnly(await selectObjects({ words: [word] }, place, io, ofKind), 'roll')
  if (kindOf(only.resource) !== target.kind)
    throw new CommandError(`${handleOf(only)} is no ${target.kind}: ${target.name} is one, and a roll stays within a kind`)
  return only.name
}

/** The manifest of a file that the roll is to lead to: of the workload, when that is known, else the only one that can be rolled. */
export async function readRolled(path: string, workload: Rolled | undefined, io: Io): Promise<Manifest> {
  const manifests = await readManifests([path], false, io.stdin)
  const kind = workload?.target.kind
  const fits = manifests.filter(({ object }) => (kind ? object.kind === kind : ROLL_KINDS.some((one) => one === object.kind)))
  const named = fits.filter(({ object }) => object.metadata.name === workload?.target.name)
  const [only, another] = named.length > 0 ? named : fits
  const wanted = kind ? `a ${kind} is needed, as ${workload?.target.name} is one` : `one of ${ROLL_KINDS.join(', ')} is needed`
  if (!only) throw new CommandError(`${path}: ${wanted}; there is ${manifests.map(({ object }) => object.kind).join(', ')}`)
  if (another)
    throw new CommandError(
      `${path} has several: ${fits.map(({ object }) => `${object.kind} ${object.metadata.name}`).join(', ')}; say which by its name`,
    )
  return only
}

/** What a manifest is of. */
export async function rolledIn(manifest: Manifest, namespace: string | undefined, session: Session): Promise<Rolled> {
  const resource = await resourceOf(manifest, session.discovery)
  const name = manifest.object.metadata.name
  if (!name) throw new CommandError(`${manifest.source}: metadata.name is missing`)
  return rolledAs({ resource, name, namespace: namespaceOf(manifest, session, namespace) }, session)
}

/** Whether a word is a kind, and the one after it a name. */
export async function isKind(word: string, { discovery }: Session): Promise<boolean> {
  return !word.includes('/') && (await discovery.find(word)) !== undefined
}

const ROLL_KINDS: readonly RollKind[] = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController']

function kindOf(resource: DiscoveredResource): RollKind | undefined {
  return NEEDS.roll.rank(resource) === undefined ? undefined : (resource.kind as RollKind)
}

function theOnly(selected: readonly Selected[], verb: string): Selected {
  const [only, another] = selected
  if (!only) throw new CommandError('there is nothing to roll in what was given')
  if (another) throw new CommandError(`${verb} takes one workload at a time, not ${selected.map(handleOf).join(', ')}`)
  return only
}

function rolledAs({ resource, name, namespace }: Selected, session: Session): Rolled {
  const kind = kindOf(resource)
  const handle = handleOf({ resource, name })
  if (!kind) throw new CommandError(`${handle} cannot be rolled: ${isBuiltIn(resource.group) ? OTHERS : custom(handle)}`)
  return { target: { kind, name }, place: { ...session, namespace: namespace ?? session.namespace }, name: handle }
}

const OTHERS = `only ${NEEDS.roll.what} can`

/** Nobody but its controller knows how the pods of a custom resource are replaced. */
function custom(handle: string): string {
  return `its own controller replaces its pods; "skiff set image ${handle} …" gives it another image`
}

/** A name whose first controller was cleaned away goes on to mean those that rolls made of it. */
async function madeByRolls(error: unknown, words: readonly string[], session: Session): Promise<Rolled | undefined> {
  const [name = ''] = words
  if (!(error instanceof CommandError) || error.name !== 'UnknownName' || words.length !== 1) return undefined
  for (const kind of ['ReplicationController', 'ReplicaSet'] as const) {
    const target: RollTarget = { kind, name }
    if (await currentControllerOf({ ...session, target })) return { target, place: session, name }
  }
  return undefined
}
