/** What a definition's schema may say, and what its objects are held to beyond it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'
import { CRDS, definition, establish } from './definition.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

const ROOT = 'spec.validation.openAPIV3Schema'
const SPEC = `${ROOT}.properties[spec]`

async function causesOf(run: Promise<unknown>): Promise<string[]> {
  const error = await run.then(
    () => expect.unreachable('it was accepted'),
    (reason) => reason,
  )
  const causes = error.status.details.causes as { field: string; message: string }[]
  return causes.map(({ field, message }) => `${field}: ${message}`).sort()
}

/** What is wrong with a definition whose `spec` has this schema, and whose root has these fields besides. */
async function refused(spec: object, root: object = {}, properties: object = {}): Promise<string[]> {
  const crd = definition('things', 'Thing', spec)
  const { openAPIV3Schema } = crd.spec.versions[0]!.schema
  Object.assign(openAPIV3Schema, root)
  Object.assign(openAPIV3Schema.properties, properties)
  return await causesOf(server.call('POST', CRDS, crd, { query: { dryRun: 'All' } }))
}

describe('a schema', () => {
  it('judges values, not their form, within allOf and the like', async () => {
    const nested = { type: 'string', nullable: true, description: 'x', default: 'y', 'x-kubernetes-list-type': 'set' }
    expect(await refused({ type: 'object', properties: { a: { type: 'string', anyOf: [nested] } } })).toEqual(
      [
        'default: Forbidden: must be undefined to be structural',
        'description: Forbidden: must be empty to be structural',
        'nullable: Forbidden: must be false to be structural',
        'type: Forbidden: must be empty to be structural',
        'x-kubernetes-list-type: Forbidden: must be undefined to be structural',
      ].map((text) => `${SPEC}.properties[a].anyOf[0].${text}`),
    )
    const inside = { properties: { metadata: { maxLength: 1 } }, additionalProperties: true }
    expect(await refused({ type: 'object', not: inside, properties: { metadata: { type: 'object' } } })).toEqual([
      `${SPEC}.not.additionalProperties: Forbidden: must be undefined to be structural`,
      `${SPEC}.not.properties[metadata]: Forbidden: must not be specified in a nested context`,
    ])
  })

  it('may be a number or text in so many words', async () => {
    const either = [{ type: 'integer' }, { type: 'string' }]
    const properties = {
      a: { 'x-kubernetes-int-or-string': true, anyOf: either },
      b: { 'x-kubernetes-int-or-string': true, allOf: [{ anyOf: either }, { pattern: '^x' }] },
    }
    await server.call('POST', CRDS, definition('things', 'Thing', { type: 'object', properties }), { query: { dryRun: 'All' } })
    const both = { 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true }
    expect(await refused({ type: 'object', properties: { a: both } })).toEqual([
      `${SPEC}.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true`,
    ])
  })

  it('at the root leaves the metadata to the server, and judges only what it has', async () => {
    const root = {
      anyOf: [{ required: ['spec'], properties: { other: { minLength: 1 }, spec: { properties: { x: { minimum: 1 } } } } }],
    }
    const metadata = { type: 'object', properties: { labels: { type: 'object' } } }
    expect(await refused({ type: 'object' }, root, { metadata, kind: { type: 'integer' } })).toEqual([
      `${ROOT}.properties[kind].type: Invalid value: "integer": must be string`,
      `${ROOT}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
      `${ROOT}.properties[other]: Required value: because it is defined in ${ROOT}.anyOf[0].properties[other]`,
      `${SPEC}.properties[x]: Required value: because it is defined in ${ROOT}.anyOf[0].properties[spec].properties[x]`,
    ])
  })

  it('of sets and of objects within says what they are', async () => {
    const set = { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } }
    const bare = { type: 'object', 'x-kubernetes-embedded-resource': true }
    expect(
      await refused({ type: 'object', properties: { set, bare, untyped: { 'x-kubernetes-embedded-resource': true } } }),
    ).toEqual([
      `${SPEC}.properties[bare].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
      `${SPEC}.properties[set].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
      `${SPEC}.properties[untyped].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
      `${SPEC}.properties[untyped].type: Required value: must be object if x-kubernetes-embedded-resource is true`,
    ])
  })

  it('of lists with keys has them, as scalars that are always there', async () => {
    const list = (more: object, items: object = {}) => ({
      ...{ type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object', ...items }, ...more },
    })
    const keys = (...names: string[]) => ({ 'x-kubernetes-list-map-keys': names })
    const port = { type: 'integer', nullable: true }
    const properties = {
      a: list(keys('x', 'x'), { nullable: true }),
      b: list(keys('port', 'tags'), {
        properties: { port, tags: { type: 'array', items: { type: 'string' } } },
        required: ['tags'],
      }),
      c: { type: 'string', 'x-kubernetes-list-type': 'set', 'x-kubernetes-map-type': 'some', ...keys('k') },
      d: { type: 'object', additionalProperties: false, properties: { x: { type: 'null' } } },
      e: { type: 'string', 'x-kubernetes-int-or-string': true },
      f: { type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
    }
    const at = (name: string) => `${SPEC}.properties[${name}]`
    const key = 'this property is in x-kubernetes-list-map-keys, so it'
    expect(await refused({ type: 'object', properties })).toEqual([
      `${at('a')}.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is map`,
      `${at('a')}.x-kubernetes-list-map-keys: Invalid value: ["x","x"]: entries must all be names of item properties`,
      `${at('a')}.x-kubernetes-list-map-keys: Invalid value: ["x","x"]: entries must all be names of item properties`,
      `${at('a')}.x-kubernetes-list-map-keys: Invalid value: ["x","x"]: must not contain duplicate entries`,
      `${at('b')}.items.properties[port].default: Required value: ${key} must have a default or be a required property`,
      `${at('b')}.items.properties[port].nullable: Forbidden: ${key} cannot be nullable`,
      `${at('b')}.items.properties[tags].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
      `${at('c')}.type: Invalid value: "string": must be array if x-kubernetes-list-type is specified`,
      `${at('c')}.type: Invalid value: "string": must be object if x-kubernetes-map-type is specified`,
      `${at('c')}.x-kubernetes-list-type: Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty`,
      `${at('c')}.x-kubernetes-map-type: Unsupported value: "some": supported values: "atomic", "granular"`,
      `${at('d')}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
      `${at('d')}.properties[x].type: Forbidden: type cannot be set to null, use nullable as an alternative`,
      `${at('d')}.properties[x].type: Unsupported value: "null": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      `${at('f')}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
    ])
  })

  it('has defaults that it would accept itself', async () => {
    const port = { type: 'integer', minimum: 1 }
    const properties = {
      a: { type: 'string', enum: ['x'], default: 'y' },
      b: { type: 'object', required: ['port'], properties: { port }, default: { surplus: 1 } },
      c: { type: 'array', items: port, default: [0] },
      d: { type: 'string', default: 5 },
    }
    const at = (name: string) => `${SPEC}.properties[${name}].default`
    expect(await refused({ type: 'object', properties })).toEqual([
      `${at('a')}: Unsupported value: "y": supported values: "x"`,
      `${at('b')}.port: Required value`,
      `${at('b')}: Invalid value: {"surplus":1}: must not have unknown fields`,
      `${at('c')}[0]: Invalid value: 0: [0] in body should be greater than or equal to 1`,
      `${at('d')}: Invalid value: "integer":  in body must be of type string: "integer"`,
    ])
  })
})

describe('objects', () => {
  it('within objects have proper types, names and metadata', async () => {
    const template = { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }
    const spec = { type: 'object', properties: { template, list: { type: 'array', items: template } } }
    await establish(server, definition('boxes', 'Box', spec))
    const path = '/apis/stable.example.com/v1/namespaces/default/boxes'
    const box = (name: string, spec: object) => ({ apiVersion: 'stable.example.com/v1', kind: 'Box', metadata: { name }, spec })
    const fine = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a', labels: { x: 'y' } } }
    await server.call('POST', path, box('fine', { template: { ...fine, metadata: {} }, list: [fine] }))
    const metadata = { name: 'a/b', namespace: 'N', labels: { 'a b': 'c' }, annotations: { '': '' }, finalizers: ['x y'] }
    const odd = { apiVersion: 'a/b/c', kind: 'Some_Kind', metadata }
    const causes = await causesOf(server.call('POST', path, box('odd', { template: odd, list: [{ ...fine, kind: '' }, {}] })))
    expect(causes).toEqual([
      'spec.list[0].kind: Required value',
      'spec.list[1].apiVersion: Required value',
      'spec.list[1].kind: Required value',
      'spec.template.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      expect.stringMatching(
        /^spec\.template\.kind: Invalid value: "Some_Kind": may have mixed case, but should otherwise match:/,
      ),
      expect.stringMatching(/^spec\.template\.metadata\.annotations: Invalid value: "": name part must /),
      expect.stringMatching(/^spec\.template\.metadata\.annotations: Invalid value: "": name part must /),
      expect.stringMatching(/^spec\.template\.metadata\.finalizers\[0\]: Invalid value: "x y": /),
      expect.stringMatching(/^spec\.template\.metadata\.labels: Invalid value: "a b": /),
      `spec.template.metadata.name: Invalid value: "a/b": may not contain '/'`,
      expect.stringMatching(/^spec\.template\.metadata\.namespace: Invalid value: "N":/),
    ])
  })

  it('are judged by their rules unless their form is wrong', async () => {
    const rule = (text: string, more: object = {}) => ({ rule: text, ...more })
    const spec = {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string', minLength: 3 }, size: { type: 'integer' }, limit: { type: 'integer' } },
      'x-kubernetes-validations': [
        rule('!has(self.size) || self.size > 0', {
          message: 'must be larger',
          reason: 'FieldValueForbidden',
          fieldPath: '.size',
        }),
        rule('!oldSelf.hasValue() || has(self.limit) == has(oldSelf.value().limit)', {
          ...{ optionalOldSelf: true, message: 'limit stays as it is' },
        }),
      ],
    }
    await establish(server, definition('cups', 'Cup', spec))
    const path = '/apis/stable.example.com/v1/namespaces/default/cups'
    const cup = (name: string, spec: object) => ({ apiVersion: 'stable.example.com/v1', kind: 'Cup', metadata: { name }, spec })
    expect(await causesOf(server.call('POST', path, cup('a', { size: 0 })))).toEqual([
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
      'spec.name: Required value',
    ])
    expect(await causesOf(server.call('POST', path, cup('a', { name: 'x', size: 0 })))).toEqual([
      'spec.name: Invalid value: "x": spec.name in body should be at least 3 chars long',
      'spec.size: Forbidden: must be larger',
    ])
    await server.call('POST', path, cup('a', { name: 'abc', limit: 1 }))
    expect(await causesOf(server.call('PATCH', `${path}/a`, { spec: { limit: null } }, PATCH_TYPES.merge))).toEqual([
      'spec: Invalid value: limit stays as it is',
    ])
  })
})

describe('a definition', () => {
  it('of the Kubernetes project links to where it was approved, or says that it was not', async () => {
    const crd = (annotation?: string) => {
      const made = definition('things', 'Thing', { type: 'object' }, {}, 'example.k8s.io')
      const annotations = annotation === undefined ? {} : { 'api-approved.kubernetes.io': annotation }
      return { ...made, metadata: { ...made.metadata, annotations } }
    }
    const at = 'metadata.annotations[api-approved.kubernetes.io]'
    const text = 'protected groups must have approval annotation "api-approved.kubernetes.io"'
    const page = 'see https://github.com/kubernetes/enhancements/pull/1111'
    expect(await causesOf(server.call('POST', CRDS, crd()))).toEqual([`${at}: Required value: ${text}, ${page}`])
    expect(await causesOf(server.call('POST', CRDS, crd('mailto:x@y')))).toEqual([
      `${at}: Invalid value: "mailto:x@y": ${text} with either a URL or a reason starting with "unapproved", ${page}`,
    ])
    const { status } = await establish(server, crd('unapproved, testing'))
    expect(status.conditions).toContainEqual(
      expect.objectContaining({
        ...{ type: 'KubernetesAPIApprovalPolicyConformant', status: 'False', reason: 'UnapprovedAnnotation' },
        message: 'not approved: "unapproved, testing"',
      }),
    )
  })

  it('remembers every version that its objects were stored in', async () => {
    const { spec } = definition('moves', 'Move', { type: 'object' })
    const version = (name: string, storage: boolean) => ({ ...spec.versions[0]!, name, storage })
    const crd = { ...definition('moves', 'Move', {}), spec: { ...spec, versions: [version('v1', true)] } }
    const made = await establish(server, crd)
    expect(made.status.storedVersions).toEqual(['v1'])
    const next = { ...spec, versions: [version('v1', false), version('v2', true)] }
    const moved = await server.call('PATCH', `${CRDS}/moves.stable.example.com`, { spec: next }, PATCH_TYPES.merge)
    expect(moved.status.storedVersions).toEqual(['v1', 'v2'])
    const only = { spec: { versions: [version('v2', true)] } }
    const path = `${CRDS}/moves.stable.example.com`
    expect(await causesOf(server.call('PATCH', path, only, PATCH_TYPES.merge))).toEqual([
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
    ])
    await server.call('PATCH', `${path}/status`, { status: { storedVersions: ['v2'] } }, PATCH_TYPES.merge)
    expect((await server.call('PATCH', path, only, PATCH_TYPES.merge)).spec.versions).toHaveLength(1)
  })

  it('tells the last of its conflicts, and takes the names that it can', async () => {
    await establish(server, definition('ducks', 'Duck', { type: 'object' }))
    const crd = definition('geese', 'Duck', { type: 'object' })
    Object.assign(crd.spec.names, { singular: 'goose', shortNames: ['ducks'], categories: ['all'] })
    await server.call('POST', CRDS, crd)
    const status = async () => (await server.call('GET', `${CRDS}/geese.stable.example.com`)).status
    await expect.poll(status, { timeout: 30_000 }).toMatchObject({
      acceptedNames: { plural: 'geese', singular: 'goose', kind: '', categories: ['all'] },
      conditions: [
        { type: 'NamesAccepted', status: 'False', reason: 'ListKindConflict', message: '"DuckList" is already in use' },
        { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
      ],
    })
  })
})
