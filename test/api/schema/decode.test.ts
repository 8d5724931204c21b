import { describe, expect, it } from 'vitest'
import { builtinSchema } from '../../../src/api/schema/builtin.ts'
import { DecodeError, decode, decodeJson } from '../../../src/api/schema/decode.ts'

const pod = builtinSchema('core/v1.Pod')
const deployment = builtinSchema('apps/v1.Deployment')
const configMap = builtinSchema('core/v1.ConfigMap')

function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
  return 'accepted'
}

describe('types', () => {
  it.each([
    ['core/v1.ConfigMap', { data: { a: 1 } }, 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string'],
    [
      'core/v1.ConfigMap',
      { data: 'x' },
      'json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string',
    ],
    [
      'core/v1.ConfigMap',
      { metadata: 'x' },
      'json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta',
    ],
    ['core/v1.ConfigMap', 'x', 'json: cannot unmarshal string into Go value of type v1.ConfigMap'],
    ['core/v1.ConfigMap', [], 'json: cannot unmarshal array into Go value of type v1.ConfigMap'],
    [
      'apps/v1.Deployment',
      { spec: { replicas: 'three' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'apps/v1.Deployment',
      { spec: { replicas: 3e9 } },
      'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'apps/v1.Deployment',
      { spec: { replicas: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'core/v1.Pod',
      { spec: { containers: 'none' } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      'core/v1.Pod',
      { spec: { containers: [{ env: [{ value: 1 }] }] } },
      'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
    ],
    [
      'core/v1.Pod',
      { spec: { hostNetwork: 'yes' } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
    ],
    [
      'core/v1.Service',
      { spec: { ports: [{ targetPort: true }] } },
      'json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32',
    ],
    ['core/v1.Secret', { data: { a: '?' } }, 'illegal base64 data at input byte 0'],
    ['core/v1.Secret', { data: { a: 'abc' } }, 'illegal base64 data at input byte 0'],
    ['core/v1.Secret', { data: { a: 3 } }, 'json: cannot unmarshal number into Go struct field Secret.data of type []uint8'],
    [
      'core/v1.ConfigMap',
      { metadata: { creationTimestamp: 'notatime' } },
      'parsing time "notatime" as "2006-01-02T15:04:05Z07:00": cannot parse "notatime" as "2006"',
    ],
    [
      'core/v1.ConfigMap',
      { metadata: { creationTimestamp: '2020-02-30T00:00:00Z' } },
      'parsing time "2020-02-30T00:00:00Z": day out of range',
    ],
    [
      'coordination/v1.Lease',
      { spec: { renewTime: '2020-01-01T00:00:02Z' } },
      'parsing time "2020-01-01T00:00:02Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ],
    [
      'core/v1.Pod',
      { spec: { containers: [{ resources: { limits: { cpu: 'abc' } } }] } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ])('%s %j', (type, value, message) => {
    expect(refusal(() => decode(builtinSchema(type), structuredClone(value)))).toBe(message)
  })

  it('refuses what is nested too deep, and text that is no JSON', () => {
    const deep = `{"spec":{"versions":[{"schema":{"openAPIV3Schema":${'{"not":'.repeat(5000)}{}${'}'.repeat(5000)}}}]}}`
    expect(refusal(() => decodeJson(builtinSchema('apiextensions/v1.CustomResourceDefinition'), deep))).toBe('exceeded max depth')
    expect(refusal(() => decodeJson(configMap, '{"a":'))).toMatch(/JSON/)
  })
})

describe('normal form', () => {
  it('drops nulls and empty values, and writes what Go always writes', () => {
    const value = {
      metadata: { name: 'd', creationTimestamp: null, labels: {} },
      spec: { replicas: 0, paused: false, selector: null },
    }
    expect(decode(deployment, value).value).toEqual({
      metadata: { name: 'd' },
      spec: { replicas: 0, selector: null, strategy: {}, template: { metadata: {}, spec: { containers: null } } },
      status: {},
    })
  })

  it('keeps what is empty behind a pointer', () => {
    const value = {
      spec: { containers: [{ name: 'c', securityContext: {} }], volumes: [{ name: 'v', emptyDir: {} }], priority: 0 },
    }
    expect(decode(pod, value).value).toEqual({
      metadata: {},
      spec: {
        containers: [{ name: 'c', resources: {}, securityContext: {} }],
        volumes: [{ name: 'v', emptyDir: {} }],
        priority: 0,
      },
      status: {},
    })
  })

  it('writes an empty required list as null, and unset times as null', () => {
    expect(decode(builtinSchema('rbac/v1.ClusterRole'), { rules: [] }).value).toEqual({ metadata: {}, rules: null })
    const status = { conditions: [{ type: 'Ready', status: 'True' }] }
    expect(decode(builtinSchema('core/v1.PodStatus'), status).value).toEqual({
      conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: null }],
    })
  })

  it('makes quantities, times and base64 canonical', () => {
    const limits = { cpu: '1000m', memory: '1024Mi', pods: 3 }
    expect(decode(builtinSchema('core/v1.ResourceRequirements'), { limits }).value).toEqual({
      limits: { cpu: '1', memory: '1Gi', pods: '3' },
    })
    expect(decode(configMap, { metadata: { creationTimestamp: '2020-01-01T01:02:03.5+01:00' } }).value).toEqual({
      metadata: { creationTimestamp: '2020-01-01T00:02:03Z' },
    })
    expect(decode(builtinSchema('core/v1.Secret'), { data: { a: 'YWJj\nZA==', b: '' } }).value).toEqual({
      metadata: {},
      data: { a: 'YWJjZA==', b: '' },
    })
  })

  it('leaves raw values and JSON schemas as they are, but for what is unknown in them', () => {
    const data = { any: [1, null, { x: {} }] }
    expect(decode(builtinSchema('apps/v1.ControllerRevision'), { data, revision: 1 }).value).toEqual({
      metadata: {},
      data,
      revision: 1,
    })
    const schema = { type: 'object', properties: { a: { items: { type: 'string' }, additionalProperties: true } } }
    expect(decode(builtinSchema('apiextensions/v1.JSONSchemaProps'), structuredClone(schema)).value).toEqual(schema)
  })
})

describe('unknown and duplicate fields', () => {
  it('are dropped, and named when asked', () => {
    const text = '{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","nested":{"x":1}}],"bogus":1}}'
    const { value, problems } = decodeJson(pod, text, { strict: true })
    expect(problems).toEqual(['unknown field "spec.containers[0].nested"', 'unknown field "spec.bogus"'])
    expect(value.spec).toEqual({ containers: [{ name: 'c', resources: {} }] })
    expect(decodeJson(pod, text).problems).toEqual([])
  })

  it('are found in the text, wherever quotes and braces hide', () => {
    const text = '{ "data" : {"a":"1","b":"\\\\","c":"{\\"a\\":2,\\"a\\":3}","a" :"2","q\\"":"","q\\"":""} }'
    const { value, problems } = decodeJson(configMap, text, { strict: true })
    expect(problems).toEqual(['duplicate field "data.a"', 'duplicate field "data.q\\""'])
    expect(value).toEqual({ metadata: {}, data: { a: '2', b: '\\', c: '{"a":2,"a":3}', 'q"': '' } })
  })

  it('name the index of a list and keys within raw values', () => {
    const text = '{"spec":{"containers":[{"name":"a"},{"name":"b","name":"c"}]}}'
    expect(decodeJson(pod, text, { strict: true }).problems).toEqual(['duplicate field "spec.containers[1].name"'])
  })

  it('leave the prototype alone', () => {
    const { value } = decodeJson(configMap, '{"__proto__":{"x":1},"data":{"__proto__":"1","constructor":"2"}}', { strict: true })
    expect(JSON.stringify(value)).toBe('{"data":{"__proto__":"1","constructor":"2"},"metadata":{}}')
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })
})
