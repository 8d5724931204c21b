/** A graph of objects without cycles, some of them pods that require others, and the orders in which they may be created. */
import type { KubeObject } from '../../../src/api/object.ts'

export interface GraphNode {
  name: string
  kind: 'Pod' | 'ConfigMap' | 'Secret' | 'Service'
  /** What a pod requires, by index. */
  needs: readonly number[]
  /** The pod behind a Service. */
  behind?: number
}

/** Numbers from 0 up to below `below`, the same ones for the same seed. */
export type Chance = (below: number) => number

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const KINDS = ['Pod', 'ConfigMap', 'Pod', 'Service', 'Secret', 'Pod', 'ConfigMap', 'Pod', 'ConfigMap', 'Service'] as const

/** Two of five are pods, each requiring up to three of those before it. */
export function graphOf(size: number, chance: Chance): GraphNode[] {
  const isPod = (i: number) => KINDS[i % KINDS.length] === 'Pod'
  return Array.from({ length: size }, (_, i) => {
    const kind = KINDS[i % KINDS.length]!
    const node: GraphNode = { name: `n${i}`, kind, needs: [] }
    if (kind === 'Pod') node.needs = [...new Set(Array.from({ length: Math.min(3, i) }, () => chance(i)))]
    if (kind !== 'Service') return node
    let behind = chance(i)
    while (!isPod(behind)) behind--
    return { ...node, behind }
  })
}

export function shuffled(size: number, chance: Chance): number[] {
  const order = Array.from({ length: size }, (_, i) => i)
  for (let i = size - 1; i > 0; i--) {
    const other = chance(i + 1)
    ;[order[i], order[other]] = [order[other]!, order[i]!]
  }
  return order
}

/** The object of a node as it is written. The same thing is required in different words. */
export function objectOf(graph: readonly GraphNode[], index: number, namespace: string): KubeObject {
  const { name, kind, needs, behind } = graph[index]!
  const metadata = { name, namespace, labels: { n: name } }
  if (kind === 'ConfigMap') return { apiVersion: 'v1', kind, metadata, data: { name } }
  if (kind === 'Secret') return { apiVersion: 'v1', kind, metadata, stringData: { name } }
  if (kind === 'Service')
    return { apiVersion: 'v1', kind, metadata, spec: { selector: { n: graph[behind!]!.name }, ports: [{ port: 80 }] } }
  const requires = needs.map((need) => `- ${requirementOf(graph[need]!, (index + need) % 2 === 0)}\n`).join('') || '[]'
  return {
    ...{ apiVersion: 'v1', kind, metadata: { ...metadata, annotations: { 'skiff.dev/requires': requires } } },
    spec: { containers: [{ name: 'c', image: 'app:v1' }] },
  }
}

function requirementOf({ kind, name }: GraphNode, inOtherWords: boolean): string {
  if (kind === 'Pod') return inOtherWords ? `pod[n=${name}]` : `pod/${name}`
  if (kind === 'ConfigMap' && inOtherWords) return `configmap/${name}: jsonpath={.data.name}=${name}`
  return `${kind.toLowerCase()}/${name}`
}
