import { expect, test } from 'vitest'
import type { EndpointSlice, Service } from '../../../src/api/types.ts'
import type { Backend } from '../../../src/controllers/endpoints/backends.ts'
import { planSlices } from '../../../src/controllers/endpoints/plan-slices.ts'
import { pod } from '../table.ts'

const service: Service = {
  metadata: { name: 's', namespace: 'default', uid: 's' },
  spec: { selector: { app: 'web' }, clusterIP: '10.96.0.1', ports: [{ port: 80 }] },
}

function backends(count: number, from = 0, serving = true): Backend[] {
  return Array.from({ length: count }, (_, i) => ({
    pod: pod({ name: `p${from + i}` }),
    address: `10.0.${(from + i) >> 8}.${(from + i) & 255}`,
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
    serving,
    terminating: false,
    hostname: undefined,
    zone: undefined,
  }))
}

/** What the API holds after the plan was written. */
function written(plan: ReturnType<typeof planSlices>, before: EndpointSlice[] = []): EndpointSlice[] {
  const updated = new Map(plan.update.map((slice) => [slice.metadata.name, slice]))
  const kept = before.filter((slice) => !plan.remove.includes(slice)).map((slice) => updated.get(slice.metadata.name) ?? slice)
  const created = plan.create.map((slice, i) => ({
    ...slice,
    metadata: { ...slice.metadata, name: `new-${before.length}-${i}` },
  }))
  return [...kept, ...created]
}

test('a slice holds at most a hundred endpoints', () => {
  const slices = written(planSlices(service, 'IPv4', backends(250), []))
  expect(slices.map(({ endpoints }) => endpoints?.length)).toEqual([100, 100, 50])
})

test('nothing is written when nothing changed', () => {
  const slices = written(planSlices(service, 'IPv4', backends(250), []))
  expect(planSlices(service, 'IPv4', backends(250), slices)).toEqual({ create: [], update: [], remove: [] })
})

test('one pod’s change rewrites one slice', () => {
  const slices = written(planSlices(service, 'IPv4', backends(250), []))
  const changed = [...backends(150), ...backends(1, 150, false), ...backends(99, 151)]
  const plan = planSlices(service, 'IPv4', changed, slices)
  expect(plan.update.map(({ metadata }) => metadata.name)).toEqual(['new-0-1'])
  expect([plan.create, plan.remove]).toEqual([[], []])
})

test('room is filled before a slice is added, in slices that change anyway first', () => {
  const slices = written(planSlices(service, 'IPv4', backends(250), []))
  const plan = planSlices(service, 'IPv4', [...backends(90), ...backends(150, 100), ...backends(60, 300)], slices)
  expect(plan.create).toEqual([])
  expect(written(plan, slices).map(({ endpoints }) => endpoints?.length)).toEqual([100, 100, 100])
  const less = planSlices(service, 'IPv4', [...backends(90), ...backends(150, 100), ...backends(5, 300)], slices)
  expect(less.update.map(({ metadata }) => metadata.name)).toEqual(['new-0-0'])
})

test('slices that became empty go; one without endpoints says that there are none', () => {
  const slices = written(planSlices(service, 'IPv4', backends(250), []))
  const some = planSlices(service, 'IPv4', backends(100), slices)
  expect(some.remove.map(({ metadata }) => metadata.name)).toEqual(['new-0-1', 'new-0-2'])
  const none = written(planSlices(service, 'IPv4', [], slices), slices)
  expect(none.map(({ endpoints }) => endpoints)).toEqual([[]])
})
