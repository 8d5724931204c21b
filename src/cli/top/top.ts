/** `skiff top`: what nodes and pods use now. A name without a kind is a pod's, or that of whatever has pods, or a node's. */
import type { KubeObject } from '../../api/object.ts'
import { isNotFound } from '../../api/status.ts'
import type { Node, NodeMetrics, PodMetrics } from '../../api/types.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { nodeMetrics, nodes, podMetrics } from '../../client/resources.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { listPods, type Selection, selectPods } from '../logs/selection.ts'
import { inParallel } from '../names/metadata.ts'
import { type ObjectFormat, parseOutput, printObjects } from '../print-objects.ts'
import { type GlobalOptions, type Session, withSession } from '../session.ts'
import { formatTable } from '../table.ts'
import { nodeRows, podRows, type Rows, type SortBy } from './rows.ts'

export interface TopOptions extends GlobalOptions {
  words: readonly string[]
  selector?: string | undefined
  fieldSelector?: string | undefined
  allNamespaces?: boolean | undefined
  allMatches?: boolean | undefined
  containers?: boolean | undefined
  sortBy?: SortBy | undefined
  sum?: boolean | undefined
  showCapacity?: boolean | undefined
  noHeaders?: boolean | undefined
  output?: string | undefined
}

interface Meant {
  /** Undefined: none at all; no names: all of them. */
  readonly nodes?: readonly string[]
  readonly pods?: readonly Selection[]
}

const API_VERSION = 'metrics.k8s.io/v1beta1'
const NODE_WORDS = new Set(['node', 'nodes', 'no'])
const POD_WORDS = new Set(['pod', 'pods', 'po'])

export async function runTop(options: TopOptions, io: Io): Promise<number> {
  const format = parseOutput(options.output)
  if (format.form === 'table' && format.wide) throw new CommandError('top has no wide form')
  return withSession(options, io, async (session) => {
    const resource = await session.discovery.forKind(API_VERSION, 'PodMetrics')
    if (!resource)
      throw new CommandError(
        'Metrics API not available: nothing on this cluster measures; metrics-server can be installed for it',
      )
    const meant = await understand(options, session)
    const ofNodes = meant.nodes && (await measureNodes(meant.nodes, options, session))
    const ofPods = meant.pods && (await measurePods(meant.pods, options, session))
    if (format.form !== 'table') return printMetrics(ofNodes?.metrics, ofPods, format, resource, io)
    const tables = [
      ...(ofNodes
        ? [nodeRows(ofNodes.nodes, ofNodes.metrics, { ofCapacity: options.showCapacity === true, sortBy: options.sortBy })]
        : []),
      ...(ofPods ? [podRows(ofPods, lookOf(options))] : []),
    ].filter(({ rows }) => rows.length > 0)
    if (tables.length === 0) sayNone(meant, options, session, io)
    printRows(tables, options, io)
    return 0
  })
}

function lookOf({ containers, allNamespaces, sortBy, sum }: TopOptions) {
  return { containers: containers === true, withNamespace: allNamespaces === true, sortBy, sum: sum === true }
}

/** From the words to nodes and pods. */
async function understand({ words, selector, fieldSelector, allMatches }: TopOptions, session: Session): Promise<Meant> {
  const [first = '', ...names] = words
  const hasSelector = selector !== undefined || fieldSelector !== undefined
  const isKind = !first.includes('/') && (NODE_WORDS.has(first) || POD_WORDS.has(first))
  if ((isKind ? names : words).length > 0 && hasSelector) throw new CommandError('names and selectors cannot be given together')
  if (first === '') {
    if (hasSelector) return { pods: [] }
    throw new CommandError('top of what? "nodes", "pods", or names')
  }
  if (NODE_WORDS.has(first)) return { nodes: names }
  if (POD_WORDS.has(first)) return { pods: names.length === 0 ? [] : await selectPods({ words: names.map(asPod) }, session) }
  const found = await inParallel(words, (word) => ofWord(word, allMatches === true, session))
  const nodeNames = found.flatMap((one) => (typeof one === 'string' ? [one] : []))
  const selections = found.flatMap((one) => (typeof one === 'string' ? [] : one))
  return { ...(nodeNames.length > 0 && { nodes: nodeNames }), ...(selections.length > 0 && { pods: selections }) }
}

const asPod = (name: string): string => (name.includes('/') ? name : `pod/${name}`)

/** A node's name, or pods. */
async function ofWord(word: string, allMatches: boolean, session: Session): Promise<string | Selection[]> {
  const [kind = '', name] = word.split('/')
  if (name !== undefined && NODE_WORDS.has(kind)) return name
  try {
    return await selectPods({ words: [word], allMatches }, session)
  } catch (error) {
    // Whoever names no workload may name a node.
    if (name === undefined && error instanceof CommandError && (await isNode(word, session))) return word
    throw error
  }
}

async function isNode(name: string, { client }: Session): Promise<boolean> {
  try {
    await client.get(nodes, name)
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

async function measureNodes(
  names: readonly string[],
  { selector: labelSelector, fieldSelector }: TopOptions,
  { client }: Session,
): Promise<{ nodes: readonly Node[]; metrics: readonly NodeMetrics[] }> {
  if (names.length > 0) {
    const found = await inParallel(names, async (name) => ({
      node: await client.get(nodes, name),
      metrics: await client.get(nodeMetrics, name),
    }))
    return { nodes: found.map(({ node }) => node), metrics: found.map(({ metrics }) => metrics) }
  }
  const where = { labelSelector, fieldSelector }
  const [all, measured] = await Promise.all([client.list(nodes, where), client.list(nodeMetrics, where)])
  return { nodes: all.items, metrics: measured.items }
}

async function measurePods(
  selections: readonly Selection[],
  { selector: labelSelector, fieldSelector, allNamespaces }: TopOptions,
  session: Session,
): Promise<readonly PodMetrics[]> {
  const { client, namespace } = session
  if (selections.length === 0) {
    const list = await client.list(podMetrics, { namespace: allNamespaces ? undefined : namespace, labelSelector, fieldSelector })
    return list.items
  }
  const found = await inParallel(selections, async (selection) => {
    const { where, lasts, belongs } = selection
    if (lasts === 'onePod') return [await client.get(podMetrics, where.fieldSelector?.split('=')[1] ?? '', { namespace })]
    const { items } = await client.list(podMetrics, { namespace, ...where })
    if (!belongs) return items
    const members = new Set((await listPods(selection, session)).map(({ metadata }) => metadata.name))
    return items.filter(({ metadata }) => members.has(metadata.name))
  })
  return [...new Map(found.flat().map((one) => [one.metadata.name, one])).values()]
}

async function printMetrics(
  ofNodes: readonly NodeMetrics[] | undefined,
  ofPods: readonly PodMetrics[] | undefined,
  format: ObjectFormat,
  resource: DiscoveredResource,
  io: Io,
): Promise<number> {
  const objects = [
    ...(ofNodes ?? []).map((one) => ({ ...one, apiVersion: API_VERSION, kind: 'NodeMetrics' })),
    ...(ofPods ?? []).map((one) => ({ ...one, apiVersion: API_VERSION, kind: 'PodMetrics' })),
  ] as unknown as KubeObject[]
  const targets = [
    { resource: { ...resource, kind: 'PodMetrics', singular: 'pod' }, names: [] },
    { resource: { ...resource, kind: 'NodeMetrics', singular: 'node' }, names: [] },
  ]
  await printObjects(objects, { format, single: false, showManagedFields: true }, targets, io.stdout)
  return 0
}

function printRows(tables: readonly Rows[], { noHeaders }: TopOptions, io: Io): void {
  for (const [index, { header, rows }] of tables.entries()) {
    if (index > 0) io.stdout.write('\n')
    io.stdout.write(formatTable(noHeaders ? undefined : header, rows))
  }
}

function sayNone(meant: Meant, { allNamespaces }: TopOptions, { namespace }: Session, io: Io): void {
  const isNamespaced = meant.pods !== undefined && !allNamespaces
  writeLine(io.stderr, isNamespaced ? `No resources found in ${namespace} namespace.` : 'No resources found')
}
