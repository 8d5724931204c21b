import { describe, expect, test } from 'vitest'
import type { DaemonSet, Node, Pod } from '../../../src/api/types.ts'
import { affinityTo, daemonTolerations, nodeOf } from '../../../src/controllers/daemon-set/eligible.ts'
import { planDaemons } from '../../../src/controllers/daemon-set/plan.ts'
import { cases, NOW_MS, pod as shortPod } from '../table.ts'

type State = [string, string]
interface Case {
  name: string
  selector?: Record<string, string>
  maxUnavailable?: number | string
  maxSurge?: number
  onDelete?: boolean
  nodes: (string | { name: string; labels?: Record<string, string>; taints?: string[] })[]
  pods: Record<string, State | State[]>
  create?: string[]
  remove?: string[]
  status?: object
}

function nodeFrom(short: Case['nodes'][number]): Node {
  if (typeof short === 'string') return { metadata: { name: short } }
  const taints = (short.taints ?? []).map((text) => {
    const [key = '', effect = ''] = text.split(':')
    return { key, effect }
  })
  return { metadata: { name: short.name, labels: short.labels }, spec: { taints } }
}

function podsFrom(node: string, states: State | State[]): Pod[] {
  const all = (Array.isArray(states[0]) ? states : [states]) as State[]
  return all.map(([state, hash], i) =>
    shortPod({
      name: `${node}${i}`,
      node,
      age: `${100 - i}m`,
      labels: { 'controller-revision-hash': hash },
      phase: state === 'f' ? 'Failed' : 'Running',
      ...(state === 'r' && { ready: '1m' }),
      ...(state === 't' && { deleted: true }),
    }),
  )
}

describe('a step of a DaemonSet', () => {
  test.each(cases<Case>(import.meta.url, './plan.yaml'))('$name', (given) => {
    const set: DaemonSet = {
      metadata: { name: 'd', namespace: 'default', uid: 'd' },
      spec: {
        selector: { matchLabels: { app: 'd' } },
        template: { spec: { containers: [], nodeSelector: given.selector } },
        updateStrategy: given.onDelete
          ? { type: 'OnDelete' }
          : {
              type: 'RollingUpdate',
              rollingUpdate: { maxUnavailable: given.maxSurge ? 0 : (given.maxUnavailable ?? 1), maxSurge: given.maxSurge ?? 0 },
            },
      },
    }
    const pods = Object.entries(given.pods).flatMap(([node, states]) => podsFrom(node, states))
    const plan = planDaemons({ set, nodes: given.nodes.map(nodeFrom), pods, hash: 'new', nowMs: NOW_MS })
    expect(plan.create).toEqual(given.create ?? [])
    expect(plan.remove.map(({ metadata }) => metadata.name)).toEqual(given.remove ?? [])
    expect(plan.status).toMatchObject(given.status ?? {})
  })
})

test('a daemon is tied to its node in every alternative', () => {
  const term = { matchExpressions: [{ key: 'disk', operator: 'Exists' }] }
  const affinity = affinityTo('a', {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term, term] } },
  })
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: ['a'] }]
  expect(affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
    { ...term, matchFields },
    { ...term, matchFields },
  ])
  expect(nodeOf({ metadata: {}, spec: { containers: [], affinity } })).toBe('a')
})

test('daemons with the host’s network need no pod network', () => {
  const keys = daemonTolerations({ containers: [], hostNetwork: true }).map(({ key }) => key)
  expect(keys).toContain('node.kubernetes.io/network-unavailable')
  expect(daemonTolerations({ containers: [] }).map(({ key }) => key)).not.toContain('node.kubernetes.io/network-unavailable')
})
