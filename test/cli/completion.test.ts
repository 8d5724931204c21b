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
    expect(await complete('alias', 's')).toEqual(['set'])
  })

  it('prints a script that bash understands', async () => {
    const { out } = await cli.run(['completion', 'bash'])
    expect(spawnSync('bash', ['-n'], { input: out }).status).toBe(0)
    expect(await cli.run(['completion', 'csh'])).toMatchObject({ code: 1 })
  })
})
