import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type CommandLine, startCommandLine } from './command-line.ts'

let cli: CommandLine
beforeAll(async () => {
  cli = await startCommandLine()
})
afterAll(() => cli.close())

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:v1"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: fast, "yes": "no"}
`

describe('apply, get, scale, describe, delete', () => {
  it('applies, again without a change, and with one', async () => {
    expect(await cli.run(['apply', '-f', '-'], { input: WEB })).toEqual({
      ...{ code: 0, err: '' },
      out: 'deployment.apps/web created\nconfigmap/settings created\n',
    })
    expect((await cli.run(['apply', '-f', '-'], { input: WEB })).out).toBe(
      'deployment.apps/web unchanged\nconfigmap/settings unchanged\n',
    )
    const file = join(cli.directory, 'web.yaml')
    writeFileSync(file, WEB.replace('mode: fast', 'mode: slow'))
    expect((await cli.run(['apply', '-f', file])).out).toBe('deployment.apps/web unchanged\nconfigmap/settings configured\n')
  })

  it('leaves the fields of others alone unless told to take them', async () => {
    const manifest = (value: string) => ({
      input: `{apiVersion: v1, kind: ConfigMap, metadata: {name: mine}, data: {a: ${value}}}`,
    })
    await cli.run(['apply', '-f', '-'], manifest('one'))
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mine' }, data: { a: 'theirs' } }
    await cli.server.call('PUT', '/api/v1/namespaces/default/configmaps/mine', body, { query: { fieldManager: 'other' } })
    const refused = await cli.run(['apply', '-f', '-'], manifest('two'))
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/^error: Apply failed with 1 conflict.*\(--force-conflicts takes the fields over\)\n$/)
    expect((await cli.run(['apply', '--force-conflicts', '-f', '-'], manifest('two'))).out).toBe('configmap/mine configured\n')
    await cli.run(['delete', 'cm', 'mine'])
  })

  it('prints tables', async () => {
    const { out } = await cli.run(['get', 'deploy'])
    expect(out).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/2 +0 +0 +\d+s\n$/)
    expect((await cli.run(['get', 'deploy/web', 'cm/settings'])).out).toMatch(
      /deployment\.apps\/web.*\n\nNAME.*\nconfigmap\/settings /,
    )
    expect((await cli.run(['get', 'cm', '-A', '--no-headers'])).out).toMatch(/^default +settings +2 /)
    expect((await cli.run(['get', 'deploy', '-o', 'wide'])).out).toContain('web:v1')
    expect(await cli.run(['get', 'pods'])).toEqual({ code: 0, out: '', err: 'No resources found in default namespace.\n' })
  })

  it('prints objects in every form', async () => {
    expect(JSON.parse((await cli.run(['get', 'deploy', 'web', '-o', 'json'])).out)).toMatchObject({
      kind: 'Deployment',
      spec: { replicas: 2 },
    })
    expect((await cli.run(['get', 'cm', 'settings', '-o', 'yaml'])).out).toMatch(
      /^apiVersion: v1\ndata:\n {2}mode: slow\n {2}'yes': 'no'\nkind: ConfigMap\nmetadata:\n {2}creationTimestamp: '/,
    )
    expect((await cli.run(['get', 'cm,deploy', '-o', 'name'])).out).toBe('configmap/settings\ndeployment.apps/web\n')
    const path = '{.items[*].metadata.name}{"\\n"}'
    expect((await cli.run(['get', 'deploy', '-o', `jsonpath=${path}`])).out).toBe('web\n')
    expect((await cli.run(['get', 'deploy', '-o', 'custom-columns=N:.metadata.name,X:.spec.nothing'])).out).toBe(
      'N     X\nweb   <none>\n',
    )
  })

  it('scales, under a condition too', async () => {
    expect((await cli.run(['scale', 'deploy/web', '--replicas=4'])).out).toBe('deployment.apps/web scaled\n')
    expect(await cli.run(['scale', 'deploy', 'web', '--replicas=5', '--current-replicas=3'])).toEqual({
      ...{ code: 1, out: '' },
      err: 'error: deployment.apps/web asks for 4 replicas, not 3\n',
    })
    expect(await cli.run(['scale', 'cm/settings', '--replicas=1'])).toMatchObject({
      code: 1,
      err: 'error: configmaps cannot be scaled\n',
    })
  })

  it('describes', async () => {
    const { out } = await cli.run(['describe', 'deploy', 'web'])
    expect(out).toMatch(/^Name: +web\nNamespace: +default\nKind: +Deployment\nLabels: +app=web\n/)
    expect(out).toContain('  Replicas:  4\n')
    expect(out).toMatch(/Events: {2}<none>\n$/)
  })

  it('deletes, and says what was not there', async () => {
    expect((await cli.run(['delete', '-f', '-'], { input: WEB })).out).toBe(
      'deployment.apps "web" deleted from default namespace\nconfigmap "settings" deleted from default namespace\n',
    )
    expect(await cli.run(['delete', 'cm', 'settings'])).toEqual({
      code: 1,
      out: '',
      err: 'error: configmaps "settings" not found (NotFound)\n',
    })
    expect(await cli.run(['delete', 'cm', 'settings', '--ignore-not-found'])).toMatchObject({ code: 0, err: '' })
    expect((await cli.run(['delete', 'cm'])).err).toBe('error: which configmaps? Give names, --selector or --all\n')
  })
})

describe('create', () => {
  it('makes simple objects from flags', async () => {
    expect(
      (await cli.run(['create', 'deployment', 'd', '--image', 'reg/x_y:1', '--replicas', '2', '--', 'run', '-n', 'it'])).out,
    ).toBe('deployment.apps/d created\n')
    const read = JSON.parse((await cli.run(['get', 'deploy/d', '-o', 'json'])).out)
    expect(read.spec).toMatchObject({
      replicas: 2,
      template: { spec: { containers: [{ name: 'x-y', command: ['run', '-n', 'it'] }] } },
    })
    expect((await cli.run(['create', 'service', 'clusterip', 'd', '--tcp', '80:8080'])).out).toBe('service/d created\n')
    expect((await cli.run(['create', 'namespace', 'staging'])).out).toBe('namespace/staging created\n')
    await cli.run(['create', 'configmap', 'c', '--from-literal', 'a=b=c', '-n', 'staging'])
    expect((await cli.run(['get', 'cm/c', '-n', 'staging', '-o', 'jsonpath={.data.a}'])).out).toBe('b=c')
    const secret = await cli.run(['create', 'secret', 'generic', 's', '--from-literal', 'p=hunter2', '-o', 'jsonpath={.data.p}'])
    expect(Buffer.from(secret.out, 'base64').toString()).toBe('hunter2')
  })

  it('creates nothing in a dry run and refuses what exists', async () => {
    expect((await cli.run(['create', 'namespace', 'dry', '--dry-run'])).out).toBe('namespace/dry created (server dry run)\n')
    expect((await cli.run(['get', 'ns', 'dry'])).err).toBe('error: namespaces "dry" not found (NotFound)\n')
    expect(await cli.run(['create', 'namespace', 'staging'])).toMatchObject({
      code: 1,
      err: 'error: namespaces "staging" already exists (AlreadyExists)\n',
    })
  })
})

describe('get shows objects', () => {
  const names = (out: string) => out.split('\n').flatMap((line) => line.split(/ +/)[0] || [])

  beforeAll(async () => {
    for (const [name, size] of [
      ['sort-2', '1Gi'],
      ['sort-10', '500Mi'],
      ['sort-1', '2Gi'],
    ])
      await cli.run(['create', '-f', '-'], {
        input: JSON.stringify({
          ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
          metadata: { name, labels: { 'example.com/tier': `tier-${name}` } },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } } },
        }),
      })
  })

  it('in the order of a field', async () => {
    const sorted = async (path: string, ...more: string[]) =>
      names((await cli.run(['get', 'pvc', '--sort-by', path, ...more])).out)
    expect(await sorted('.spec.resources.requests.storage', '--no-headers')).toEqual(['sort-10', 'sort-2', 'sort-1'])
    expect(await sorted('{.metadata.name}', '-o', 'name')).toEqual(
      ['sort-1', 'sort-2', 'sort-10'].map((name) => `persistentvolumeclaim/${name}`),
    )
    expect(await cli.run(['get', 'pvc', '--sort-by', 'spec.nothing'])).toMatchObject({
      ...{ code: 1, err: 'error: --sort-by "spec.nothing": no object has such a field\n' },
    })
    expect((await cli.run(['get', 'pvc', '-w', '--sort-by', '.metadata.name'])).err).toContain('cannot be given together')
  })

  it('with columns of labels', async () => {
    const { out } = await cli.run(['get', 'pvc', 'sort-1', '-L', 'example.com/tier,none', '--show-labels'])
    expect(out.split('\n')[0]).toMatch(/ TIER +NONE +LABELS$/)
    expect(out.split('\n')[1]).toMatch(/ tier-sort-1 +example\.com\/tier=tier-sort-1$/)
  })

  it('by templates and columns that lie in files', async () => {
    const template = join(cli.directory, 'template')
    writeFileSync(template, '{range .items[*]}{.metadata.name}{"\\n"}{end}\n')
    expect((await cli.run(['get', 'pvc', '-o', `jsonpath-file=${template}`])).out).toBe('sort-1\nsort-10\nsort-2\n')
    const columns = join(cli.directory, 'columns')
    writeFileSync(columns, 'NAME            SIZE\n.metadata.name  .spec.resources.requests.storage\n')
    expect((await cli.run(['get', 'pvc', 'sort-1', '-o', `custom-columns-file=${columns}`])).out).toBe(
      'NAME     SIZE\nsort-1   2Gi\n',
    )
    const bare = await cli.run(['get', 'pvc', 'sort-1', '--no-headers', '-o', 'custom-columns=NAME:.metadata.name'])
    expect(bare.out).toBe('sort-1\n')
    expect(JSON.parse((await cli.run(['get', 'pvc', '-o', 'jsonpath-as-json={.items[*].metadata.name}'])).out)).toHaveLength(3)
    expect((await cli.run(['get', 'pvc', '-o', `jsonpath-file=${cli.directory}/none`])).err).toContain('no such file')
    expect((await cli.run(['get', 'pvc', '-o', 'go-template={{.}}'])).err).toContain('is not supported')
  })

  it('and takes what is not there for no failure, when asked', async () => {
    expect(await cli.run(['get', 'pvc', 'none', '--ignore-not-found'])).toEqual({ code: 0, out: '', err: '' })
    expect(await cli.run(['get', 'pvc', 'none', '-o', 'yaml', '--ignore-not-found'])).toEqual({ code: 0, out: '', err: '' })
  })
})

describe('watching', () => {
  it('prints rows as they come, in line', async () => {
    const get = cli.start(['get', 'cm', '-w'])
    await vi.waitFor(async () => {
      await cli.run(['create', 'configmap', `w${Date.now()}`])
      expect(get.out()).toMatch(/^NAME.*\n(.*\n)*w\d+ +0 /)
    })
    get.interrupt()
    expect((await get.done).code).toBe(130)
  })

  it('prints objects as documents, and headings once', async () => {
    const yaml = cli.start(['get', 'cm', '-w', '-o', 'neat', '-l', 'watched=yes'])
    const columns = cli.start(['get', 'cm', '-w', '-o', 'custom-columns=NAME:.metadata.name', '-l', 'watched=yes'])
    for (const name of ['d1', 'd2'])
      await cli.run(['apply', '-f', '-'], {
        input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { watched: 'yes' } } }),
      })
    await vi.waitFor(() => expect(columns.out()).toBe('NAME\nd1\nd2\n'), { timeout: 30_000 })
    await vi.waitFor(() => expect(yaml.out().split('---\n')).toHaveLength(2), { timeout: 30_000 })
    for (const running of [yaml, columns]) running.interrupt()
    await Promise.all([yaml.done, columns.done])
  })

  it('waits for a value, a deletion, and no longer than asked', async () => {
    await cli.run(['create', 'configmap', 'z', '--from-literal', 'state=new'])
    const ready = cli.start(['wait', 'cm/z', '--for=jsonpath={.data.state}=done', '--timeout=20s'])
    const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\ndata: {state: done}'
    await cli.run(['apply', '-f', '-'], { input: manifest })
    expect(await ready.done).toEqual({ code: 0, out: 'configmap/z condition met\n', err: '' })
    const gone = cli.start(['wait', 'cm/z', '--for=delete', '--timeout=20s'])
    await cli.run(['delete', 'cm', 'z'])
    expect((await gone.done).code).toBe(0)
    expect(await cli.run(['wait', 'deploy/d', '--for=condition=Available', '--timeout=50ms'])).toMatchObject({
      ...{ code: 1, err: 'error: timed out waiting for the condition on deployments/d\n' },
    })
  })
})
