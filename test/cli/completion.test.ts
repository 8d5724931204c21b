import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type CommandLine, startCommandLine } from './command-line.ts'

let cli: CommandLine
beforeAll(async () => {
  cli = await startCommandLine()
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

it('prints a script that bash understands', async () => {
  const { out } = await cli.run(['completion', 'bash'])
  expect(spawnSync('bash', ['-n'], { input: out }).status).toBe(0)
  expect(await cli.run(['completion', 'csh'])).toMatchObject({ code: 1 })
})
