import { expect, it } from 'vitest'
import { cascadeLines, countsOf, planCascade } from '../../src/cli/cascade.ts'
import type { Candidate } from '../../src/cli/names/candidate.ts'
import type { DiscoveredResource } from '../../src/client/discovery.ts'

const resource = (plural: string, group = ''): DiscoveredResource => ({
  ...{ group, version: 'v1', plural, kind: plural, namespaced: plural !== 'namespaces', singular: plural.slice(0, -1) },
  ...{ shortNames: [], categories: [], verbs: [], subresources: [] },
})
const [deployments, replicaSets, pods, namespaces] = [
  resource('deployments', 'apps'),
  resource('replicasets', 'apps'),
  resource('pods'),
  resource('namespaces'),
]
const one = (of: DiscoveredResource, name: string, owner?: string): Candidate => ({
  ...{ resource: of, name, namespace: 'default' },
  metadata: { name, uid: name, ...(owner && { ownerReferences: [{ apiVersion: '', kind: '', name: owner, uid: owner }] }) },
})
const many = Array.from({ length: 7 }, (_, i) => one(pods, `web-new-${i}`, 'web-new'))
const all = [
  one(deployments, 'web'),
  one(replicaSets, 'web-new', 'web'),
  one(replicaSets, 'web-old', 'web'),
  ...many,
  one(pods, 'lone'),
]

it('shows what goes by owner, and counts where there are many', () => {
  const going = planCascade([{ resource: deployments, name: 'web', namespace: 'default' }], all)
  expect(cascadeLines(going)).toEqual(['deployment/web', '  replicaset/web-new', '    7 pods', '  replicaset/web-old'])
  expect(countsOf(going[0]!.children)).toBe('2 replicasets, 7 pods')
})

it('of a namespace is all that is in it', () => {
  const going = planCascade([{ resource: namespaces, name: 'default', namespace: undefined }], all)
  expect(cascadeLines(going)).toEqual([
    'namespace/default',
    '  deployment/web',
    '    replicaset/web-new',
    '      7 pods',
    '    replicaset/web-old',
    '  pod/lone',
  ])
})

it('takes owners that own each other once', () => {
  const circle = [one(pods, 'a', 'b'), one(pods, 'b', 'a')]
  expect(cascadeLines(planCascade([{ resource: pods, name: 'a', namespace: 'default' }], circle))).toEqual(['pod/a', '  pod/b'])
})
