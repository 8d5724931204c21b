/** Rules of storage.k8s.io, each in Kubernetes' words. */
import { expect, test } from 'vitest'
import { create, update } from './write.ts'

const expression = (key: string, ...values: string[]) => ({ matchLabelExpressions: [{ key, values }] })
const storageClass = (more: object) => ({ provisioner: 'x.example/y', ...more })
const attachment = (source: object) => ({ spec: { attacher: 'a.example', nodeName: 'n', source } })
const SUBDOMAIN = expect.stringMatching(/a lowercase RFC 1123 subdomain must consist/) as unknown as string

test.each<[string, string, object, string[]]>([
  ['a class with topologies', 'storageclasses', storageClass({ allowedTopologies: [expression('zone', 'a', 'b')] }), []],
  [
    'topologies twice',
    'storageclasses',
    storageClass({ allowedTopologies: [expression('zone', 'a', 'b'), expression('zone', 'b', 'a')] }),
    ['Duplicate | allowedTopologies[1].matchLabelExpressions | Duplicate value: ""'],
  ],
  [
    'a topology of nothing',
    'storageclasses',
    storageClass({ allowedTopologies: [expression('zone')] }),
    ['Required | allowedTopologies[0].matchLabelExpressions[0].values | Required value'],
  ],
  [
    'too many parameters',
    'storageclasses',
    storageClass({ parameters: Object.fromEntries(Array.from({ length: 513 }, (_, i) => [`k${i}`, ''])) }),
    ['TooLong | parameters | Too long: may not be more than 512 bytes'],
  ],
  [
    'parameters without names',
    'storageclasses',
    storageClass({ parameters: { '': 'v' } }),
    ['Invalid | parameters | Invalid value: "": field can not be empty.'],
  ],
  [
    'attributes of nothing',
    'volumeattributesclasses',
    { driverName: 'd.example' },
    ['Required | parameters | Required value: must contain at least one key/value pair'],
  ],
  [
    'tokens of too short a life',
    'csidrivers',
    { spec: { tokenRequests: [{ audience: 'a', expirationSeconds: 1 }, { audience: 'a' }] } }, // biome-ignore format: short
    [
      'Duplicate | spec.tokenRequests[1].audience | Duplicate value: "a"',
      'Invalid | spec.tokenRequests[0].expirationSeconds | Invalid value: 1: may not specify a duration less than 10 minutes',
    ],
  ],
  [
    'unknown modes',
    'csidrivers',
    { spec: { volumeLifecycleModes: ['Sometimes'] } },
    ['NotSupported | spec.volumeLifecycleModes | Unsupported value: "Sometimes": supported values: "Persistent", "Ephemeral"'],
  ],
  [
    'a name for a node that is too long',
    'csinodes',
    { spec: { drivers: [{ name: 'd', nodeID: 'x'.repeat(193) }] } },
    [`Invalid | spec.drivers[0].nodeID | Invalid value: "${'x'.repeat(193)}": must be 192 characters or less`],
  ],
  ['no class', 'csistoragecapacities', {}, [SUBDOMAIN]],
  [
    'less than nothing',
    'csistoragecapacities',
    { storageClassName: 'c', capacity: '-1' },
    ['Invalid | capacity | Invalid value: "-1": must be greater than or equal to 0'],
  ],
  [
    'nothing to attach',
    'volumeattachments',
    attachment({}),
    ['Required | spec.source | Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
  ],
  [
    'a volume of its own that is not of a driver',
    'volumeattachments',
    attachment({ inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], hostPath: { path: '/' } } }),
    ['Required | spec.source.inlineVolumeSpec.csi | Required value: has to be specified in the context of inline volumes'],
  ],
])('%s', (_, plural, given, causes) => expect(create(plural, given).causes).toEqual(causes))

test('a driver keeps what it attaches, and how', () => {
  const { causes } = update('csidrivers', { spec: {} }, ({ spec }) => {
    Object.assign(spec, { attachRequired: false, podInfoOnMount: true })
  })
  expect(causes).toEqual(['Invalid | spec.attachedRequired | Invalid value: false: field is immutable'])
})

test('a driver may take more volumes of a node, not call it otherwise', () => {
  const before = { spec: { drivers: [{ name: 'd', nodeID: 'n', allocatable: { count: 1 } }] } }
  const change = (more: object) =>
    update('csinodes', before, ({ spec }) => {
      Object.assign(spec.drivers[0], more)
    }).causes
  expect(change({ allocatable: { count: 2 } })).toEqual([])
  expect(change({ nodeID: 'other' })).toEqual(['Invalid | spec.drivers | Invalid value: "d": field is immutable'])
})
