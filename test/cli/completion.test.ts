import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtinDefinitions } from '../../src/api/definitions.ts'
import { skiffDefinitions } from '../../src/api/kinds/name-review.ts'
import { type CommandLine, startCommandLine } from './command-line.ts'

const SERVERS = { 'with the name index': [...builtinDefinitions, ...skiffDefinitions], 'without it': builtinDefinitions }

describe.each(Object.entries(SERVERS))('on a server %s', (_, definitions) => {
  let cli: CommandLine
  beforeAll(async () => {
    cli = await startCommandLine(definitions)
  })
  afterAll(() => cli.close())

  const complete = async (...words: string[]) => (await cli.run(['__complete', '--', ...words])).out.split('\n').filter(Boolean)

  it('offers commands, flags, kinds and names', async () => {
    expect(await complete('desc')).toEqual(['describe'])
    expect(await complete('create', 'name')).toEqual(['namespace'])
    expect(await complete('get', '--fi')).toEqual(['--field-selector'])
    expect(await complete('get', 'configm')).toEqual(['configmaps'])
    await cli.run(['create', 'configmap', 'settings'])
    expect(await complete('get', 'cm', 'se')).toEqual(['settings'])
    expect(await complete('version', '')).toEqual([])
  })

  it('offers what bears a name, as far as the command can do something to it', async () => {
    await cli.run(['create', 'deployment', 'web', '--image', 'web:v1'])
    await cli.run(['create', 'service', 'clusterip', 'web-front', '--tcp', '80'])
    await cli.run(['create', 'configmap', 'web-settings'])
    expect(await complete('get', 'we')).toEqual(['web', 'web-front', 'web-settings'])
    expect(await complete('scale', 'we')).toEqual(['web'])
    expect(await complete('set', 'image', 'we')).toEqual(['web'])
    expect(await complete('logs', 'we')).toEqual(['web', 'web-front'])
    expect(await complete('delete', 'cm/web')).toEqual(['cm/web-settings'])
    expect(await complete('get', 'deploy', 'we')).toEqual(['web'])
    expect(await complete('get', 'scal')).toEqual(['scalable'])
    for (const command of ['tree', 'status']) {
      expect(await complete(command, 'we')).toEqual(['web', 'web-front', 'web-settings'])
      expect(await complete(command, 'configmaps', 'we')).toEqual(['web-settings'])
      expect(await complete(command, 'configm')).toEqual(['configmaps'])
    }
    expect(await complete('why', 'we')).toEqual(['web', 'web-front'])
    expect(await complete('alias', 's')).toEqual(['set'])
  })

  it('offers drafts, whom they wait for, and what has been set', async () => {
    await cli.run(['create', 'pod', 'puzzle', '--pending', 'scan,sign', '--image', 'tools:v1'])
    expect(await complete('run', '')).toEqual(['pod/puzzle'])
    expect(await complete('add', 'container', 'pu')).toEqual(['puzzle'])
    expect(await complete('get', 'draft/')).toEqual(['draft/puzzle'])
    expect(await complete('get', 'drafts', '')).toEqual(['puzzle'])
    expect(await complete('set', 'env', 'pu')).toEqual(['puzzle'])
    expect(await complete('approve', '')).toEqual(['puzzle'])
    expect(await complete('approve', 'puzzle', 's')).toEqual(['scan', 'sign'])
    expect(await complete('approve', 'puzzle', 'scan', 's')).toEqual(['sign'])
    await cli.run(['alias', 'set', 'mine', 'configmaps', '--scope', 'namespace'])
    expect(await complete('alias', 'rm', '')).toEqual(['mine'])
    expect(await complete('alias', 'set', 'other', 'statefuls')).toEqual(['statefulsets'])
    expect(await complete('logs', 'web', 'web')).toEqual(['web-front'])
  })

  it('offers the values of flags, and understands those that were typed', async () => {
    await cli.run(['create', 'namespace', 'staging'])
    await cli.run(['-n', 'staging', 'create', 'configmap', 'only-there'])
    expect(await complete('-n', 'stag')).toEqual(['staging'])
    expect(await complete('-n', 'staging', 'get', 'cm', 'only')).toEqual(['only-there'])
    expect(await complete('get', '--namespace=staging', 'cm/only')).toEqual(['cm/only-there'])
    expect(await complete('get', '-l', 'app=x', 'configm')).toEqual(['configmaps'])
    expect(await complete('--context', '')).toEqual(['test'])
    expect(await complete('get', '-o', 'n')).toEqual(['name', 'neat'])
    expect(await complete('get', '--output=n')).toEqual(['--output=name', '--output=neat'])
    expect(await complete('get', '--output', '=', 'js')).toEqual(['json', 'jsonpath=', 'jsonpath-as-json=', 'jsonpath-file='])
    expect(await complete('alias', 'ls', '-o', 'y')).toEqual(['yaml'])
    expect(await complete('completion', '')).toEqual(['bash', 'zsh', 'fish'])
    expect(await complete('exec', 'web', '--', '')).toEqual([])
    await cli.server.call('POST', '/api/v1/namespaces/default/pods', {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pair' } },
      spec: { containers: ['app', 'proxy'].map((name) => ({ name, image: 'i' })) },
    })
    expect(await complete('logs', 'pair', '-c', '')).toEqual(['app', 'proxy'])
  })

  it('prints a script that bash understands', async () => {
    const { out } = await cli.run(['completion', 'bash'])
    expect(spawnSync('bash', ['-n'], { input: out }).status).toBe(0)
    expect(await cli.run(['completion', 'csh'])).toMatchObject({ code: 1 })
  })
})
