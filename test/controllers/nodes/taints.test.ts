import { describe, expect, test } from 'vitest'
import type { Node, Taint, Toleration } from '../../../src/api/types.ts'
import { evictionTime, taintsFor } from '../../../src/controllers/nodes/taints.ts'
import { ago, cases, NOW, NOW_MS, pod } from '../table.ts'

function taint(short: string): Taint {
  const [key = '', effect = ''] = short.split(':')
  return { key, effect, timeAdded: ago('100s') }
}

function node(conditions: Record<string, string>, taints: string[] = [], unschedulable = false): Node {
  return {
    metadata: { name: 'n' },
    spec: { taints: taints.map(taint), ...(unschedulable && { unschedulable }) },
    status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })) },
  }
}

interface TaintCase {
  name: string
  conditions: Record<string, string>
  unschedulable?: boolean
  evict?: boolean
  before?: string[]
  taints: string[]
}

describe('taints', () => {
  test.each(cases<TaintCase>(import.meta.url, './taints.yaml'))('$name', (given) => {
    const taints = taintsFor(node(given.conditions, given.before, given.unschedulable), { evict: given.evict ?? true, now: NOW })
    expect(taints.map(({ key, effect }) => `${key}:${effect}`)).toEqual(given.taints)
  })
})

interface EvictionCase {
  name: string
  taints: string[]
  tolerations?: Toleration[]
  leave: number | 'never'
}

describe('when a pod has to leave', () => {
  test.each(cases<EvictionCase>(import.meta.url, './evictions.yaml'))('$name', (given) => {
    const subject = pod({ name: 'p', node: 'n', ready: '1h' })
    subject.spec!.tolerations = given.tolerations
    const leave = evictionTime(subject, node({}, given.taints), NOW_MS)
    expect(leave === 'never' ? leave : (leave - NOW_MS) / 1000).toBe(given.leave)
  })
})
