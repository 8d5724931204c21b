import { describe, expect, it } from 'vitest'
import { start } from './command-line.ts'

const run = (...args: string[]) => start(args, { env: { KUBECONFIG: '/nowhere/config' } }).done

describe('failures', () => {
  it('are one line and exit code 1', async () => {
    expect(await run('get', 'pods')).toEqual({
      ...{ code: 1, out: '' },
      err: 'error: no kubeconfig at /nowhere/config: start a cluster with "skiff up", or name one with --kubeconfig\n',
    })
    expect((await run('apply', '-f', '/nowhere.yaml')).err).toBe('error: the path "/nowhere.yaml" does not exist\n')
    expect((await run('get', 'pods', '-o', 'xml')).err).toMatch(/^error: --output "xml" is not supported/)
  })

  it('say what is possible', async () => {
    expect(await run('gte', 'pods')).toMatchObject({ code: 1, err: expect.stringContaining('Did you mean get?') })
    expect(await run('get', 'pods', '--wach')).toMatchObject({ code: 1, err: expect.stringContaining('Did you mean --watch?') })
    expect(await run('up', '--nodes', 'many')).toMatchObject({
      code: 1,
      err: expect.stringContaining('--nodes takes a whole number'),
    })
    expect(await run('up', '--runtime', 'docker')).toMatchObject({
      code: 1,
      err: expect.stringContaining('local, simulated, none'),
    })
  })

  it('are none when help is asked for', async () => {
    const help = await run('get', '--help')
    expect(help).toMatchObject({ code: 0, err: '' })
    expect(help.out).toContain('Example:\n  skiff get pods -o wide')
    expect((await run('--help')).out).toMatch(/up \[options\].*\n[\s\S]*port-forward/)
    expect((await run('version', '--client')).out).toBe('skiff 9.8.7\n')
  })

  it('are not for want of an example: every command has one', async () => {
    const offered = async (...words: string[]) =>
      (await run('__complete', '--', ...words, '')).out.split('\n').filter((word) => word !== '' && word !== 'help')
    const without: string[] = []
    for (const name of await offered()) {
      const below = (await run(name, '--help')).out.includes('\nCommands:') ? await offered(name) : []
      for (const words of [[name], ...below.map((one) => [name, one])])
        if (!/\nExamples?:\n {2}\S/.test((await run(...words, '--help')).out)) without.push(words.join(' '))
    }
    expect(without).toEqual([])
  })
})
