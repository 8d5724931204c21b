import { expect, test } from 'vitest'
import { pickPodsToDelete } from '../../../src/controllers/replicas/rank.ts'
import { cases, NOW_MS, pod, type ShortPod } from '../table.ts'

interface Case {
  name: string
  pods: ShortPod[]
  related?: ShortPod[]
  count: number
  deleted: string[]
}

test.each(cases<Case>(import.meta.url, './rank.yaml'))('$name', ({ pods, related = [], count, deleted }) => {
  const own = pods.map(pod)
  const picked = pickPodsToDelete(own, [...own, ...related.map(pod)], count, NOW_MS)
  expect(picked.map(({ metadata }) => metadata.name)).toEqual(deleted)
})
