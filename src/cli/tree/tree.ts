/** `skiff tree`: what stands around an object: its owners, what it owns, and what belongs to it without being owned. */
import type { KubeObject } from '../../api/object.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { NEEDS } from '../names/needs.ts'
import { type ObjectFormat, parseOutput, printObjects } from '../print-objects.ts'
import { type Selected, type SelectOptions, selectObjects } from '../select-objects.ts'
import { type Session, withSession } from '../session.ts'
import { wantsColors } from '../wants-colors.ts'
import { treeLines } from './lines.ts'
import { planTree, type TreeNode } from './plan.ts'
import { readLacking, readSurroundings, type Surroundings } from './read.ts'

export interface TreeOptions extends SelectOptions {
  output?: string | undefined
  /** Every object on a line of its own. */
  full?: boolean | undefined
}

/** Each round reads what the one before found missing; a chain of what leads to what is not longer. */
const MAX_ROUNDS = 10

export async function runTree(options: TreeOptions, io: Io): Promise<number> {
  const format = parseOutput(options.output)
  if (format.form === 'table' && format.wide)
    throw new CommandError('--output "wide" is not supported here: json, yaml, name, jsonpath=… or custom-columns=…')
  return withSession(options, io, async (session) => {
    const selected = await selectObjects({ ...options, kindAloneIsAll: true }, session, io, NEEDS.tree)
    if (selected.length === 0) writeLine(io.stderr, `No resources found in ${session.namespace} namespace.`)
    await refuseMissing(selected, session)
    const nowMs = Date.now()
    const { trees, unreadable } = await growTrees(selected, session, nowMs)
    if (format.form === 'table') {
      const columns = io.isTty ? io.columns : undefined
      const look = { nowMs, namespace: session.namespace, columns, colors: wantsColors(io), full: options.full === true }
      for (const line of trees.length > 0 ? treeLines(trees, look) : []) writeLine(io.stdout, line)
    } else await printTrees(trees, format, io)
    if (unreadable.length > 0) writeLine(io.stderr, `perhaps there is more: no permission to list ${unreadable.join(', ')}`)
    return 0
  })
}

/** What was named in full was not looked up yet. Throws StatusError. */
async function refuseMissing(selected: readonly Selected[], { client }: Session): Promise<void> {
  await Promise.all(
    selected.map(async (one) => {
      one.object ??= await client.get(one.resource as Parameters<typeof client.get<KubeObject>>[0], one.name, {
        namespace: one.namespace,
      })
    }),
  )
}

async function growTrees(selected: readonly Selected[], session: Session, nowMs: number) {
  const { world, unreadable }: Surroundings = await readSurroundings(selected, session)
  for (let round = 0; ; round++) {
    const trees = selected.map((one) => planTree(one, world, nowMs))
    const lacking = world.takeLacking()
    if (lacking.length === 0 || round === MAX_ROUNDS) return { trees, unreadable }
    await readLacking(lacking, world, session)
  }
}

/** Nested as they are; where a list of objects is asked for, each once. */
async function printTrees(trees: readonly TreeNode[], format: ObjectFormat, io: Io): Promise<void> {
  const isFlat = format.form === 'name' || format.form === 'custom-columns'
  const objects = isFlat ? flat(trees) : trees.map(objectOf)
  const targets = flatNodes(trees).flatMap(({ candidate }) => (candidate ? [{ resource: candidate.resource, names: [] }] : []))
  await printObjects(objects, { format, single: trees.length === 1 && !isFlat, showManagedFields: false }, targets, io.stdout)
}

function flatNodes(trees: readonly TreeNode[]): TreeNode[] {
  return trees.flatMap((tree) => [tree, ...flatNodes(tree.children)])
}

function flat(trees: readonly TreeNode[]): KubeObject[] {
  return flatNodes(trees)
    .filter(({ candidate, isRepeated }) => candidate !== undefined && !isRepeated)
    .map(objectOf)
}

function objectOf(node: TreeNode): KubeObject {
  const { candidate, handle, relation, createdAt, state, children, missing, isNamed, isRepeated } = node
  const { group, version, kind } = candidate?.resource ?? { group: '', version: '', kind: '' }
  const [word = '', name] = handle.split('/')
  const from = candidate ?? missing
  return {
    ...(candidate && { apiVersion: group ? `${group}/${version}` : version }),
    kind: kind || word,
    metadata: {
      name: candidate?.name ?? name,
      ...(from?.namespace !== undefined && { namespace: from.namespace }),
      ...(candidate?.metadata.uid && { uid: candidate.metadata.uid }),
      ...(createdAt && { creationTimestamp: createdAt }),
    },
    ...(relation && { relation }),
    state: { health: state.health, ...(state.ready && { ready: state.ready }), ...(state.text && { text: state.text }) },
    ...(missing && { missing: true }),
    ...(isNamed && { named: true }),
    ...(isRepeated && { repeated: true }),
    ...(children.length > 0 && { children: children.map(objectOf) }),
  }
}
