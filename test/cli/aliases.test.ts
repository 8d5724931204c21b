import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CommandLine, startCommandLine } from './command-line.ts'

let cli: CommandLine
let env: NodeJS.ProcessEnv
beforeAll(async () => {
  cli = await startCommandLine()
  env = { HOME: cli.directory }
  await cli.run(['create', 'deployment', 'web', '--image', 'web:v1'])
  await cli.run(['create', 'service', 'clusterip', 'web', '--tcp', '80'])
  await cli.run(['create', 'configmap', 'settings'])
})
afterAll(() => cli.close())

const run = (...args: string[]) => cli.run(args, { env })

describe('an alias', () => {
  it('stands for kinds', async () => {
    expect(await run('alias', 'set', 'app', 'deploy,svc', 'cm')).toEqual({
      ...{ code: 0, err: '' },
      out: 'alias app set to deployments.apps, services, configmaps\n',
    })
    expect((await run('get', 'app', '-o', 'name')).out).toBe(
      'deployment.apps/web\nservice/kubernetes\nservice/web\nconfigmap/settings\n',
    )
    expect((await run('get', 'app', 'web', '-o', 'name')).out).toBe('deployment.apps/web\nservice/web\n')
    expect((await run('get', 'app,sa', '-o', 'name')).out).toContain('serviceaccount/default\n')
    expect((await run('get', 'app', 'none')).err).toBe('error: nothing of app is named none (NotFound)\n')
    expect(readFileSync(join(cli.directory, '.config/skiff/aliases.yaml'), 'utf8')).toContain('app:')
  })

  it('of the user counts before that of the namespace, and this before that of the cluster', async () => {
    await run('alias', 'set', 'mine', 'secrets', '--scope', 'cluster')
    await run('alias', 'set', 'mine', 'configmaps', '--scope', 'namespace')
    expect((await run('get', 'mine', '-o', 'name')).out).toBe('configmap/settings\nconfigmap/skiff-aliases\n')
    await run('alias', 'set', 'mine', 'services')
    expect((await run('get', 'mine', '-o', 'name')).out).toBe('service/kubernetes\nservice/web\n')
    const listed = JSON.parse((await run('alias', 'ls', '-o', 'json')).out) as { name: string; scope: string; hidden?: true }[]
    expect(listed.filter(({ name }) => name === 'mine').map(({ scope, hidden }) => [scope, hidden])).toEqual([
      ['user', undefined],
      ['namespace', true],
      ['cluster', true],
    ])
    expect((await run('alias', 'rm', 'mine')).out).toBe('alias mine removed\n')
    expect((await run('alias', 'rm', 'mine')).err).toMatch(/^error: there is no alias "mine" of the scope user/)
    expect((await run('get', 'mine', '-o', 'name', '-n', 'kube-public')).out).toBe('')
    await run('alias', 'rm', 'mine', '--scope', 'namespace')
    await run('alias', 'rm', 'mine', '--scope', 'cluster')
    expect((await run('get', 'mine')).code).toBe(1)
  })

  it('is brought by tools in a ConfigMap of their own', async () => {
    const map = {
      metadata: { name: 'tool', labels: { 'skiff.dev/aliases': 'true' } },
      data: { release: 'deployments.apps,secrets' },
    }
    await cli.server.call('POST', '/api/v1/namespaces/default/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', ...map })
    expect((await run('get', 'release', '-o', 'name')).out).toBe('deployment.apps/web\n')
    await run('delete', 'cm', 'tool')
  })

  it('is shown with its scope, and whether it is open', async () => {
    const { out } = await run('alias', 'ls')
    expect(out).toMatch(/^NAME +SCOPE +SET +KINDS\napp +user +explicit +deployments\.apps, services, configmaps\n/)
    expect(out).toMatch(/\nall +built-in +open +\*\n/)
    expect(out).toMatch(/\nscalable +built-in +open +capability:scalable\n/)
  })

  it('refuses what is no kind', async () => {
    expect(await run('alias', 'set', 'x', 'deploymnts')).toEqual({
      ...{ code: 1, out: '' },
      err: 'error: the server doesn\'t have a resource type "deploymnts"; near: deployments, deployment\n',
    })
    expect((await run('alias', 'set', 'pods', 'services')).err).toBe(
      'error: "pods" is a kind of this cluster (pods) and cannot be an alias\n',
    )
    expect((await run('alias', 'set', 'x', 'capability:flying')).err).toMatch(/is no capability: scalable, has-pod-template/)
    mkdirSync(join(cli.directory, 'broken/skiff'), { recursive: true })
    writeFileSync(join(cli.directory, 'broken/skiff/aliases.yaml'), 'aliases: {x: 5}')
    const broken = await cli.run(['get', 'x'], { env: { XDG_CONFIG_HOME: join(cli.directory, 'broken') } })
    expect(broken.err).toMatch(/aliases\.yaml: aliases\.x is no list of kinds\n$/)
  })
})

describe('all', () => {
  it('is all, and can be made to mean something else', async () => {
    const { out } = await run('get', 'all', '-o', 'name')
    expect(out).toContain('configmap/settings\n')
    expect(out).toContain('serviceaccount/default\n')
    expect(out).not.toContain('endpoints/')
    expect(await run('delete', 'all', '--all')).toEqual({
      ...{ code: 1, out: '' },
      err: 'error: "all" is an open set: what is in it depends on the cluster, and delete never acts on one; name the kinds, or make a set of your own: skiff alias set NAME KIND,…\n',
    })
    await run('alias', 'set', 'all', 'deployments,services')
    expect((await run('get', 'all', '-o', 'name')).out).toBe('deployment.apps/web\nservice/kubernetes\nservice/web\n')
    await run('alias', 'rm', 'all')
  })
})

describe('delete', () => {
  it('needs --yes in a script that leaves the kind to skiff', async () => {
    expect(await run('delete', 'settings')).toEqual({
      ...{ code: 1, out: '' },
      err: 'error: this means configmap/settings: say --yes to delete it, or KIND/NAME\n',
    })
    expect((await run('delete', 'app', '-l', 'app=web')).err).toBe(
      'error: this means deployment/web, service/web: say --yes to delete them, or KIND/NAME\n',
    )
    expect((await run('delete', 'settings', '--yes')).out).toBe('configmap "settings" deleted from default namespace\n')
  })

  it('asks on a terminal, after showing what goes', async () => {
    const { metadata } = await cli.server.call('GET', '/apis/apps/v1/namespaces/default/deployments/web')
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: metadata.uid, controller: true }
    for (const name of ['web-a', 'web-b'])
      await cli.server.call('POST', '/api/v1/namespaces/default/pods', {
        metadata: { name, ownerReferences: [owner] },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      })
    const asked = (input: string, ...args: string[]) => cli.run(args, { env, input, tty: true })
    expect(await asked('n\n', 'delete', 'deploy/web')).toEqual({
      ...{ code: 1, err: '' },
      out: 'deployment/web\n  pod/web-a\n  pod/web-b\nDelete all of this? [y/N] nothing deleted\n',
    })
    expect((await asked('', 'delete', 'deploy/web')).code).toBe(1)
    expect((await asked('n\n', 'delete', 'deploy/web', '--cascade', 'orphan')).out).toBe(
      'deployment/web\nDelete this, and leave what it owns? [y/N] nothing deleted\n',
    )
    expect((await asked('y\n', 'delete', 'svc/web')).out).toBe(
      'service/web\nDelete all of this? [y/N] service "web" deleted from default namespace\n',
    )
    expect((await asked('', 'delete', 'web', '--yes')).out).toBe('deployment.apps "web" deleted from default namespace\n')
  })
})
