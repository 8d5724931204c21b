import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { OwnershipGraph } from '../../../src/controllers/garbage/graph.ts'
import { planItem, unknownOwners } from '../../../src/controllers/garbage/plan.ts'
import { cases, NOW } from '../table.ts'

interface Short {
  owners?: string[]
  blocks?: boolean
  deleting?: string
  finalizers?: string[]
}

interface Case {
  name: string
  objects: Record<string, Short>
  exists?: string[]
  item: string
  plan: object
}

const things = { group: '', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true }

function object(name: string, { owners = [], blocks, deleting, finalizers = [] }: Short): KubeObject {
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      ownerReferences: owners.map((owner) => ({
        apiVersion: 'v1',
        kind: 'Thing',
        name: owner,
        uid: owner,
        ...(blocks && { blockOwnerDeletion: true }),
      })),
      finalizers: deleting ? [deleting] : finalizers,
      ...(deleting && { deletionTimestamp: NOW }),
    },
  }
}

describe('what becomes of an object', () => {
  test.each(cases<Case>(import.meta.url, './plan.yaml'))('$name', (given) => {
    const graph = new OwnershipGraph()
    for (const [name, short] of Object.entries(given.objects)) graph.put(things, object(name, short))
    const plan = planItem(graph.get(given.item)!, graph, ({ uid }) => given.exists?.includes(uid) ?? false)
    const short = {
      ...plan,
      ...('dependents' in plan && { dependents: plan.dependents.map(({ uid }) => uid) }),
      ...('keep' in plan && { keep: plan.keep.map(({ uid }) => uid) }),
    }
    expect(short).toEqual(given.plan)
  })
})

test('the graph follows owners as they change', () => {
  const graph = new OwnershipGraph()
  graph.put(things, object('set', {}))
  graph.put(things, object('pod', { owners: ['set', 'unseen'] }))
  expect([...graph.dependentsOf('unseen')].map(({ uid }) => uid)).toEqual(['pod'])
  expect(unknownOwners(graph.get('pod')!, graph).map(({ uid }) => uid)).toEqual(['unseen'])
  const { before } = graph.put(things, object('pod', { owners: ['unseen'] }))
  expect(before.map(({ uid }) => uid)).toEqual(['set', 'unseen'])
  expect(graph.dependentsOf('set').size).toBe(0)
  graph.remove('pod')
  expect(graph.dependentsOf('unseen').size).toBe(0)
  expect(graph.get('pod')).toBeUndefined()
})
