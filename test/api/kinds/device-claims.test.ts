import { expect, test } from 'vitest'
import { create, definitionOf, update, updateStatus } from './write.ts'

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

const devices = (more: object) => ({ spec: { devices: { requests: [gpu], ...more } } })
const opaque = (parameters: unknown) => ({ opaque: { driver: 'd.example', parameters } })
const NO_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

test.each<[string, object, string[]]>([
  [
    'constraints and configuration',
    devices({ constraints: [{ requests: ['gpu'], matchAttribute: 'd.example/x' }], config: [opaque({})] }),
    [],
  ],
  [
    'a constraint on nothing',
    devices({ constraints: [{}] }),
    [
      'Required | spec.devices.constraints[0] | Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
    ],
  ],
  [
    'a constraint on an attribute of nobody',
    devices({ constraints: [{ matchAttribute: 'x' }] }),
    [
      'Invalid | spec.devices.constraints[0].matchAttribute | Invalid value: "x": a fully qualified name must be a domain and a name separated by a slash',
    ],
  ],
  [
    'configuration of another request',
    devices({ config: [{ requests: ['cpu'], ...opaque({}) }] }),
    [`Invalid | spec.devices.config[0].requests[0] | Invalid value: "cpu": ${NO_REQUEST}`],
  ],
  [
    'parameters that are no object',
    devices({ config: [opaque([1])] }),
    ['Invalid | spec.devices.config[0].opaque.parameters | Invalid value: "<value omitted>": must be a valid JSON object'],
  ],
  ['a name twice', claim(gpu, gpu), ['Duplicate | spec.devices.requests[1] | Duplicate value: "gpu"']],
  [
    'a toleration of a value that must not be',
    claim({ name: 'a', exactly: { deviceClassName: 'x', tolerations: [{ operator: 'Exists', value: 'v', effect: 'X' }] } }),
    [
      'Invalid | spec.devices.requests[0].exactly.tolerations[0].value | Invalid value: "v": must be empty for operator `Exists`',
      'NotSupported | spec.devices.requests[0].exactly.tolerations[0].effect | Unsupported value: "X": supported values: "NoExecute", "NoSchedule", "None"',
    ],
  ],
])('%s', (_, given, causes) => expect(create('resourceclaims', given).causes).toEqual(causes))

const slice = (more: object) => ({
  spec: { driver: 'd.example', pool: { name: 'p', resourceSliceCount: 1 }, nodeName: 'n', ...more },
})

test.each<[string, object, string[]]>([
  [
    'devices of a node',
    slice({ devices: [{ name: 'a', attributes: { x: { version: '1.2.3' } }, capacity: { m: { value: '1Gi' } } }] }),
    [],
  ],
  [
    'two places',
    slice({ allNodes: true }),
    [
      'Invalid | spec | Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
    ],
  ],
  [
    'a pool of none',
    slice({ pool: { name: 'p', resourceSliceCount: 0, generation: -1 } }),
    [
      'Invalid | spec.pool.generation | Invalid value: -1: must be greater than or equal to zero',
      'Invalid | spec.pool.resourceSliceCount | Invalid value: 0: must be greater than zero',
    ],
  ],
  [
    'attributes of no value and of two',
    slice({ devices: [{ name: 'a', attributes: { x: {}, y: { int: 1, bool: true } } }] }),
    [
      'Invalid | spec.devices[0].attributes[x] | Invalid value: "": exactly one value must be specified',
      'Invalid | spec.devices[0].attributes[y] | Invalid value: {"IntValue":1,"BoolValue":true,"StringValue":null,"VersionValue":null}: exactly one value must be specified',
    ],
  ],
  [
    'a capacity by the piece of what nobody shares',
    slice({ devices: [{ name: 'a', capacity: { m: { value: '1', requestPolicy: {} } } }] }),
    ['Forbidden | spec.devices[0].capacity[m].requestPolicy | Forbidden: allowMultipleAllocations must be true'],
  ],
  [
    'steps that lead nowhere',
    slice({
      devices: [
        {
          ...{ name: 'a', allowMultipleAllocations: true },
          capacity: { m: { value: '10', requestPolicy: { default: '3', validRange: { min: '1', max: '4', step: '3' } } } },
        },
      ],
    }),
    [
      'Invalid | spec.devices[0].capacity[m].requestPolicy.validRange.step | Invalid value: "3": value is not a multiple of a given step (3) from (1)',
    ],
  ],
  [
    'a taint without effect',
    slice({ devices: [{ name: 'a', taints: [{ key: 'k' }] }] }),
    ['Required | spec.devices[0].taints[0].effect | Required value'],
  ],
])('a slice with %s', (_, given, causes) => expect(create('resourceslices', given).causes).toEqual(causes))

test('a slice stays with its driver, pool and node', () => {
  const { causes } = update('resourceslices', slice({}), (object) => {
    object.spec.driver = 'other.example'
  })
  expect(causes).toEqual(['Invalid | spec.driver | Invalid value: "other.example": field is immutable'])
})

const compiled = async (expression: string) => {
  const { strategy } = definitionOf('deviceclasses')
  const { object } = create('deviceclasses', { spec: { selectors: [{ cel: { expression } }] } })
  return (await strategy.validateExpressions?.(object, undefined, [])) ?? []
}

test('expressions about devices are compiled', async () => {
  expect(await compiled('device.driver == "d" && device.capacity["d"].m.compareTo(quantity("1Gi")) > 0')).toEqual([])
  expect(await compiled('device.attributes["d"].x')).toEqual([])
  const [wrong] = await compiled('device.driver')
  expect(wrong?.message).toBe('Invalid value: "device.driver": must evaluate to bool or the unknown type, not string')
  const [broken] = await compiled('device.nothing')
  expect(broken).toMatchObject({
    field: 'spec.selectors[0].cel.expression',
    message: expect.stringContaining('compilation failed'),
  })
})

const allocated = { devices: { results: [{ request: 'gpu', driver: 'd.example', pool: 'p', device: 'a' }] } }
const consumer = { resource: 'pods', name: 'x', uid: 'u' }
const status = (given: object) =>
  updateStatus('resourceclaims', claim(gpu), (object) => {
    object.status = given
  }).causes

test('the status of a claim names devices that it has', () => {
  expect(status({ allocation: allocated, reservedFor: [consumer] })).toEqual([])
  expect(status({ reservedFor: [consumer] })).toEqual([
    'Forbidden | status.reservedFor | Forbidden: may not be specified when `allocated` is not set',
  ])
  expect(status({ allocation: allocated, devices: [{ driver: 'd.example', pool: 'p', device: 'b' }] })).toEqual([
    'Invalid | status.devices[0] | Invalid value: "d.example/p/b": must be an allocated device in the claim',
  ])
})
