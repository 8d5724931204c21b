/** Custom resources from their definition to their end, on a real API server. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import type { KubeObject } from '../../../src/api/object.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { createLog } from '../../../src/base/log.ts'
import { createApiServer } from '../../../src/server/server.ts'
import { until } from '../../controllers/until.ts'
import { ADMIN, PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'
import { CRDS, condition, definition, establish, established } from './definition.ts'

const ALL = '/apis/stable.example.com/v1/tasks'
const TASKS = '/apis/stable.example.com/v1/namespaces/default/tasks'
const SPEC = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1 },
    mode: { type: 'string', default: 'fast', enum: ['fast', 'slow'] },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, port: { type: 'integer' } } },
    },
  },
}
const task = (name: string, spec: object = { size: 1 }, more: object = {}) => ({
  apiVersion: 'stable.example.com/v1',
  kind: 'Task',
  metadata: { name, ...more },
  spec,
})

let server: TestServer
beforeEach(async () => {
  server = await startServer()
})
afterEach(() => server.close())

async function failure(run: Promise<unknown>): Promise<{ code: number; message: string }> {
  return await run.then(
    () => expect.unreachable('it was accepted'),
    (error) => ({ code: error.code, message: error.message }),
  )
}

describe('a definition', () => {
  it('is served as soon as it says so, with defaults, pruning and validation', async () => {
    const crd = await establish(server, definition('tasks', 'Task', SPEC))
    expect(condition(crd, 'NamesAccepted')).toMatchObject({ status: 'True', reason: 'NoConflicts' })
    expect(crd.status?.acceptedNames).toEqual({ plural: 'tasks', singular: 'task', kind: 'Task', listKind: 'TaskList' })
    const created = await server.call('POST', TASKS, task('a', { size: 2, unknown: true }))
    expect(created.spec).toEqual({ size: 2, mode: 'fast' })
    expect(created.metadata.generation).toBe(1)
    expect(await failure(server.call('POST', TASKS, task('b', { size: 0, mode: 'odd' })))).toEqual({
      code: 422,
      message:
        'Task.stable.example.com "b" is invalid: [spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1, spec.mode: Unsupported value: "odd": supported values: "fast", "slow"]',
    })
    const groups = await server.call<{ groups: { name: string }[] }>('GET', '/apis')
    expect(groups.groups.map(({ name }) => name)).toContain('stable.example.com')
  })

  it('gets only names that no other of its group has, and gets them when they are free', async () => {
    await establish(server, definition('tasks', 'Task', SPEC))
    await server.call('POST', CRDS, definition('chores', 'Task', SPEC))
    await until(async () => {
      const second = await server.call('GET', `${CRDS}/chores.stable.example.com`)
      expect(condition(second, 'NamesAccepted')).toMatchObject({ status: 'False', reason: 'ListKindConflict' })
      expect(condition(second, 'Established')).toMatchObject({ status: 'False', reason: 'NotAccepted' })
    })
    await server.call('DELETE', `${CRDS}/tasks.stable.example.com`)
    await established(server, 'chores.stable.example.com')
  })

  it('takes its objects with it, those with finalizers when they may go', async () => {
    await establish(server, definition('tasks', 'Task', SPEC))
    await server.call('POST', TASKS, task('plain'))
    await server.call('POST', TASKS, task('held', { size: 1 }, { finalizers: ['example.com/hold'] }))
    await server.call('DELETE', `${CRDS}/tasks.stable.example.com`)
    await until(async () => {
      const names = (await server.call<{ items: KubeObject[] }>('GET', TASKS)).items.map(({ metadata }) => metadata.name)
      expect(names).toEqual(['held'])
    })
    const ending = await server.call('GET', `${CRDS}/tasks.stable.example.com`)
    expect(condition(ending, 'Terminating')?.status).toBe('True')
    expect(await failure(server.call('POST', TASKS, task('late')))).toEqual({
      code: 405,
      message: 'create not allowed while custom resource definition is terminating',
    })
    await server.call('PATCH', `${TASKS}/held`, { metadata: { finalizers: null } }, PATCH_TYPES.merge)
    await until(async () => expect((await failure(server.call('GET', `${CRDS}/tasks.stable.example.com`))).code).toBe(404))
    expect((await failure(server.call('GET', ALL))).code).toBe(404)
  })

  it('is served again by the next server on the same store', async () => {
    await establish(server, definition('tasks', 'Task', SPEC))
    await server.call('POST', TASKS, task('a'))
    const log = createLog({ write: (line) => process.stderr.write(line), level: 'warn' })
    const next = await createApiServer({ store: server.store, definitions: builtinDefinitions, clock: systemClock, log })
    const read = await next.inProcess(ADMIN).request({ method: 'GET', path: `${TASKS}/a` })
    expect((read.object as KubeObject).spec).toEqual({ size: 1, mode: 'fast' })
    await next.close()
  })

  it('shows what was stored before by its newest schema, and leaves unchanged values alone', async () => {
    const crd = structuredClone(await establish(server, definition('tasks', 'Task', SPEC)))
    await server.call('POST', TASKS, task('a', { size: 1 }))
    const schema = crd.spec?.versions[0].schema.openAPIV3Schema.properties.spec
    schema.properties.colour = { type: 'string', default: 'red' }
    schema.properties.size.minimum = 5
    await server.call('PUT', `${CRDS}/tasks.stable.example.com`, crd)
    await until(async () =>
      expect((await server.call('GET', `${TASKS}/a`)).spec).toEqual({ size: 1, mode: 'fast', colour: 'red' }),
    )
    const patched = await server.call('PATCH', `${TASKS}/a`, { spec: { mode: 'slow' } }, PATCH_TYPES.merge)
    expect(patched.spec).toEqual({ size: 1, mode: 'slow', colour: 'red' })
    const refused = await failure(server.call('PATCH', `${TASKS}/a`, { spec: { size: 2 } }, PATCH_TYPES.merge))
    expect(refused.message).toContain('should be greater than or equal to 5')
  })
})

describe('objects', () => {
  it('are applied by the keys of their lists', async () => {
    await establish(server, definition('tasks', 'Task', SPEC))
    const apply = (manager: string, ports: object[]) =>
      server.call('PATCH', `${TASKS}/a`, task('a', { size: 1, ports }), {
        ...PATCH_TYPES.apply,
        query: { fieldManager: manager, force: 'true' },
      })
    await apply('one', [{ name: 'web', port: 80 }])
    const both = await apply('two', [{ name: 'db', port: 5432 }])
    expect(both.spec?.ports).toEqual([
      { name: 'web', port: 80 },
      { name: 'db', port: 5432 },
    ])
    const left = await apply('one', [])
    expect(left.spec?.ports).toEqual([{ name: 'db', port: 5432 }])
  })

  it('keep status and spec apart, count generations of the spec, and scale', async () => {
    const subresources = {
      status: {},
      scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' },
    }
    await establish(server, definition('tasks', 'Task', SPEC, { subresources }))
    const created = await server.call('POST', TASKS, { ...task('a'), status: { size: 9 } })
    expect(created.status).toBeUndefined()
    const status = { spec: { size: 7 }, status: { size: 1, selector: 'app=a' } }
    const written = await server.call('PATCH', `${TASKS}/a/status`, status, PATCH_TYPES.merge)
    expect([written.spec?.size, written.status, written.metadata.generation]).toEqual([1, { size: 1, selector: 'app=a' }, 1])
    await server.call('PATCH', `${TASKS}/a/scale`, { spec: { replicas: 3 } }, PATCH_TYPES.merge)
    const scale = await server.call('GET', `${TASKS}/a/scale`)
    expect([scale.spec, scale.status]).toEqual([{ replicas: 3 }, { replicas: 1, selector: 'app=a' }])
    expect((await server.call('GET', `${TASKS}/a`)).metadata.generation).toBe(2)
  })

  it('are read in every served version, stored in one, and selected by declared fields', async () => {
    const crd = definition('tasks', 'Task', SPEC, { selectableFields: [{ jsonPath: '.spec.mode' }] })
    const [v1] = crd.spec.versions
    const old = { ...v1!, name: 'v1beta1', storage: false, deprecated: true }
    const versions = [old, v1!]
    await establish(server, Object.assign(crd, { spec: { ...crd.spec, versions } }))
    await server.call('POST', TASKS.replace('/v1/', '/v1beta1/'), { ...task('a'), apiVersion: 'stable.example.com/v1beta1' })
    await server.call('POST', TASKS, task('b', { size: 1, mode: 'slow' }))
    const read = await server.respond('GET', `${TASKS.replace('/v1/', '/v1beta1/')}/a`)
    expect((read.object as KubeObject).apiVersion).toBe('stable.example.com/v1beta1')
    expect(read.warnings).toEqual(['stable.example.com/v1beta1 Task is deprecated; use stable.example.com/v1 Task'])
    expect((await server.call('GET', `${TASKS}/a`)).apiVersion).toBe('stable.example.com/v1')
    const slow = await server.call<{ items: KubeObject[] }>('GET', TASKS, undefined, {
      query: { fieldSelector: 'spec.mode=slow' },
    })
    expect(slow.items.map(({ metadata }) => metadata.name)).toEqual(['b'])
    const group = await server.call<{ versions: { version: string }[] }>('GET', '/apis/stable.example.com')
    expect(group.versions.map(({ version }) => version)).toEqual(['v1', 'v1beta1'])
  })
})

describe('rules in CEL', () => {
  const rule = (expression: string, more: object = {}) => ({ rule: expression, ...more })
  const withRules = (rules: object[], name: object[] = []) => ({
    ...SPEC,
    properties: { ...SPEC.properties, name: { type: 'string', maxLength: 20, 'x-kubernetes-validations': name } },
    'x-kubernetes-validations': rules,
  })

  it('hold for every object, in the words of the rule, at the place it names', async () => {
    const large = rule('self.size < 10', { messageExpression: "'at most 9, not ' + string(self.size)", fieldPath: '.size' })
    const named = rule('has(self.name)', { message: 'a name is needed', reason: 'FieldValueRequired', fieldPath: '.name' })
    await establish(server, definition('tasks', 'Task', withRules([large, named])))
    expect((await failure(server.call('POST', TASKS, task('a', { size: 12 })))).message).toBe(
      'Task.stable.example.com "a" is invalid: [spec.size: Invalid value: at most 9, not 12, spec.name: Required value: a name is needed]',
    )
    await server.call('POST', TASKS, task('a', { size: 9, name: 'x' }))
  })

  it('compare with what was before', async () => {
    const grows = rule('self.size >= oldSelf.size', { message: 'it may not shrink' })
    const once = rule('oldSelf.hasValue() || self == "new"', { optionalOldSelf: true, message: 'it begins as new' })
    await establish(server, definition('tasks', 'Task', withRules([grows], [once])))
    expect((await failure(server.call('POST', TASKS, task('a', { size: 2, name: 'old' })))).message).toContain('it begins as new')
    await server.call('POST', TASKS, task('a', { size: 2, name: 'new' }))
    const shrunk = failure(server.call('PATCH', `${TASKS}/a`, { spec: { size: 1, name: 'any' } }, PATCH_TYPES.merge))
    expect((await shrunk).message).toBe('Task.stable.example.com "a" is invalid: spec: Invalid value: it may not shrink')
  })

  it.each([
    ['of unknown fields', 'self.colour == 1', "compilation failed: ERROR: <input>:1:5: undefined field 'colour'"],
    ['of the wrong types', 'self.size + "x" == 1', "found no matching overload for '_+_' applied to '(int, string)'"],
    ['that are not true or false', 'self.size', 'cel expression must evaluate to a bool'],
    [
      'that cost too much',
      'self.ports.all(a, self.ports.all(b, a.name != b.name))',
      'estimated rule cost exceeds budget by factor of more than 100x',
    ],
  ])('%s are refused with the definition', async (_what, expression, why) => {
    const { code, message } = await failure(server.call('POST', CRDS, definition('tasks', 'Task', withRules([rule(expression)]))))
    expect([code, message.includes(why) ? why : message]).toEqual([422, why])
  })
})
