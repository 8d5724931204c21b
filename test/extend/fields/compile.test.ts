import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { compileFields, type FieldsTarget, hasFields } from '../../../src/extend/fields/compile.ts'

const OPTIONS = { at: '', owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet' } }
const target = (yaml: string) => load(yaml) as FieldsTarget
const compiled = (yaml: string) => {
  const pod = target(yaml)
  return { pod, ...compileFields(pod, OPTIONS) }
}
const ZONE = "node:metadata.labels['topology.kubernetes.io/zone']"

describe('a pod without paths', () => {
  it.each([
    'spec: {containers: [{name: c, image: i}]}',
    'spec: {containers: [{name: c, env: [{name: A, valueFrom: {fieldRef: {}}}]}]}',
    "spec: {containers: [{name: c, env: [{name: A, value: '$(B) $$(pod:x) costs $5'}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]}",
    "spec: {containers: [{name: c, command: [sh, -c, 'echo $(HOSTNAME) $(date)']}]}",
    'spec: {containers: [], volumes: [{name: v, downwardAPI: {items: [{path: l, fieldRef: {fieldPath: metadata.labels}}]}}]}',
    'metadata: {annotations: {a: b}}\nspec: {containers: [{name: c, env: [{name: A, valueFrom: {fieldRef: {fieldPath: "metadata.labels[\'x\']"}}}]}]}',
  ])('stays as it is: %s', (yaml) => {
    const pod = target(yaml)
    if (!yaml.includes('$$')) expect(hasFields(pod)).toBe(false)
    expect(compileFields(pod, OPTIONS).errors).toEqual([])
    expect(pod).toEqual(target(yaml))
  })
})

describe('variables', () => {
  const yaml = `
spec:
  containers:
  - name: app
    env:
    - {name: ZONE, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: "${ZONE}"}}}
    - {name: NAME, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: "$.metadata.name"}}}
    - {name: AGAIN, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: "${ZONE}"}}}
`
  it('refer to annotations, once for each path, or to the stock path that says the same', () => {
    const { pod, sources, places, errors } = compiled(yaml)
    expect(errors).toEqual([])
    const [key] = sources.keys()
    expect(sources.size).toBe(1)
    expect(places.get(key!)).toBe('spec.containers[0].env[0].valueFrom.fieldRef.fieldPath')
    const paths = pod.spec?.containers[0]?.env?.map((one) => one.valueFrom?.fieldRef?.fieldPath)
    expect(paths).toEqual([
      `metadata.annotations['skiff.dev/field.${key}']`,
      'metadata.name',
      `metadata.annotations['skiff.dev/field.${key}']`,
    ])
    expect(pod.metadata?.annotations).toEqual({ 'skiff.dev/field-sources': `${key} ${ZONE}` })
  })

  it('come out the same when they are compiled again, also from a half compiled pod', () => {
    const { pod } = compiled(yaml)
    const again = structuredClone(pod)
    expect(compileFields(again, OPTIONS).errors).toEqual([])
    expect(again).toEqual(pod)
    const half = structuredClone(pod)
    half.spec!.containers[0]!.env![0]!.valueFrom!.fieldRef!.fieldPath = ZONE
    compileFields(half, OPTIONS)
    expect(half).toEqual(pod)
  })

  it('need the line that says what their key means', () => {
    const { pod } = compiled(yaml)
    const bare = { spec: structuredClone(pod.spec!) }
    expect(compileFields(structuredClone(bare), OPTIONS).errors[0]?.message).toMatch(
      /has no line in the annotation skiff.dev\/field-sources/,
    )
    const restored = structuredClone(bare) as FieldsTarget
    compileFields(restored, { ...OPTIONS, annotationsBefore: pod.metadata!.annotations })
    expect(restored).toEqual(pod)
    const forged = structuredClone(pod)
    forged.metadata!.annotations!['skiff.dev/field-sources'] = pod.metadata!.annotations!['skiff.dev/field-sources']!.replace(
      / .*/,
      ' node:spec.taints',
    )
    expect(compileFields(forged, OPTIONS).errors[0]?.message).toMatch(/is not how node:spec.taints is referred to here/)
  })

  it('lose the annotation with the last path', () => {
    const { pod } = compiled(yaml)
    pod.spec!.containers[0]!.env = []
    compileFields(pod, OPTIONS)
    expect(pod.metadata!.annotations).toEqual({})
  })
})

describe('files', () => {
  it('have keys of their own, whose values follow', () => {
    const { pod, sources, errors } = compiled(`
spec:
  containers: [{name: c, env: [{name: Q, valueFrom: {fieldRef: {fieldPath: status.qosClass}}}]}]
  volumes:
  - name: info
    downwardAPI:
      items:
      - {path: labels, fieldRef: {fieldPath: metadata.labels}}
      - {path: ip, fieldRef: {fieldPath: status.podIP}}
      - {path: qos, fieldRef: {fieldPath: status.qosClass}}
  - name: all
    projected: {sources: [{downwardAPI: {items: [{path: ip, fieldRef: {fieldPath: status.podIP}}]}}]}
`)
    expect(errors).toEqual([])
    expect([...sources].map(([key, { text }]) => `${key.slice(0, 5)} ${text}`).sort()).toEqual([
      'live. status.podIP',
      'live. status.qosClass',
      'statu status.qosClass',
    ])
    const items = pod.spec?.volumes?.[0]?.downwardAPI?.items?.map(({ fieldRef }) => fieldRef?.fieldPath)
    expect(items?.[0]).toBe('metadata.labels')
    expect(items?.[1]).toBe(pod.spec?.volumes?.[1]?.projected?.sources?.[0]?.downwardAPI?.items?.[0]?.fieldRef?.fieldPath)
  })
})

describe('substitutions', () => {
  const yaml = `
spec:
  containers:
  - name: app
    command: [serve, "--name=$(pod:metadata.name)"]
    args: ["$(service/db:spec.clusterIP):5432", "$$(pod:metadata.name)", "$(HOME)"]
    env:
    - {name: URL, value: "http://$(service/db:spec.clusterIP)/$(pod:spec.containers[?(@.name=='app')].image)"}
`
  it('become generated variables before the own ones, in the order of their use', () => {
    const { pod, sources, errors } = compiled(yaml)
    expect(errors).toEqual([])
    expect([...sources.values()].map(({ text }) => text)).toEqual([
      'service/db:spec.clusterIP',
      "pod:spec.containers[?(@.name=='app')].image",
    ])
    const { env = [], command, args } = pod.spec!.containers[0]!
    const [address, image, name, url] = env
    expect(env.length).toBe(4)
    expect(address?.name).toMatch(/^SKIFF_FIELD_service_db_spec_clusterIP_[0-9a-f]{8}$/)
    expect(name?.valueFrom?.fieldRef?.fieldPath).toBe('metadata.name')
    expect(url?.value).toBe(`http://$(${address?.name})/$(${image?.name})`)
    expect(command).toEqual(['serve', `--name=$(${name?.name})`])
    expect(args).toEqual([`$(${address?.name}):5432`, '$$(pod:metadata.name)', '$(HOME)'])
  })

  it('come out the same again, and go with the last that names them', () => {
    const { pod } = compiled(yaml)
    const again = structuredClone(pod)
    compileFields(again, OPTIONS)
    expect(again).toEqual(pod)
    const container = again.spec!.containers[0]!
    container.args = []
    container.env!.find(({ name }) => name === 'URL')!.value = 'none'
    compileFields(again, OPTIONS)
    expect(container.env!.map(({ name }) => name)).toEqual([expect.stringMatching(/^SKIFF_FIELD_pod_metadata_name_/), 'URL'])
    expect(again.metadata?.annotations).toEqual({})
  })
})

describe('what is refused', () => {
  const env = (path: string) => `spec: {containers: [{name: c, env: [{name: A, valueFrom: {fieldRef: {fieldPath: '${path}'}}}]}]}`
  const text = (value: string) => `spec: {containers: [{name: c, args: ['${value}']}]}`
  it.each([
    [
      env('spec.nodNam'),
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath',
      /^Invalid value: "spec.nodNam": at character 6: PodSpec has no field "nodNam"; possible here: nodeName/,
    ],
    [env('secret/x:data.y'), 'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath', /a Secret is never shown/],
    [
      env('status.phase'),
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath',
      /is known only while the pod runs: show it in a file/,
    ],
    [
      text('$(pod:metadata.nam)'),
      'spec.containers[0].args[0]',
      /^Invalid value: "pod:metadata.nam": at character 14: ObjectMeta has no field "nam"/,
    ],
    [
      text('x $(node:metadata.name'),
      'spec.containers[0].args[0]',
      /in the path after \$\(, at character 19: the path ends too early: the closing parenthesis is missing/,
    ],
    [text('$(secret/x:data.y)'), 'spec.containers[0].args[0]', /a Secret is never shown/],
    [
      'spec: {containers: [{name: c, env: [{name: SKIFF_FIELD_X, value: y}]}]}',
      'spec.containers[0].env[0].name',
      /names that begin with SKIFF_FIELD_ are for generated variables/,
    ],
  ])('%s', (yaml, field, message) => {
    const { errors } = compiled(yaml)
    expect(errors.map((error) => error.field)).toEqual([field])
    expect(errors[0]?.message).toMatch(message)
  })

  it('is a hundred and first path', () => {
    const items = Array.from({ length: 101 }, (_, i) => `{path: f${i}, fieldRef: {fieldPath: "pod:metadata.labels.l${i} ?? ''"}}`)
    const { errors } = compiled(`spec: {containers: [], volumes: [{name: v, downwardAPI: {items: [${items.join(', ')}]}}]}`)
    expect(errors.map(({ message }) => message)).toEqual(['Too many: 101: must have at most 100 items'])
  })
})
