import { expect, test } from 'vitest'
import { create, update } from './write.ts'

const claim = (...requests: object[]) => ({ spec: { devices: { requests } } })
const gpu = { name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }

test('a claim asks for one device of each request unless it says more', () => {
  const { object, causes } = create('resourceclaims', claim(gpu))
  expect(causes).toEqual([])
  expect(object.spec.devices.requests[0].exactly).toEqual({ ...gpu.exactly, allocationMode: 'ExactCount', count: 1 })
})

test.each<[string, object, string[]]>([
  [
    'no way',
    { name: 'a' },
    ['Required | spec.devices.requests[0] | Required value: exactly one of `exactly` or `firstAvailable` is required'],
  ],
  ['no class', { name: 'a', exactly: {} }, ['Required | spec.devices.requests[0].exactly.deviceClassName | Required value']],
  [
    'a count of all',
    { name: 'a', exactly: { deviceClassName: 'x', allocationMode: 'All', count: 2 } },
    ["Invalid | spec.devices.requests[0].exactly.count | Invalid value: 2: must not be specified when allocationMode is 'All'"],
  ],
])('%s', (_, request, causes) => expect(create('resourceclaims', claim(request)).causes).toEqual(causes))

test('what a claim asks for does not change', () => {
  const { causes } = update('resourceclaims', claim(gpu), (object) => {
    object.spec.devices.requests[0].name = 'other'
  })
  expect(causes).toEqual([expect.stringMatching(/^Invalid \| spec \| .*field is immutable$/)])
})
