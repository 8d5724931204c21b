import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { PATCH_TYPES } from '../server/start-server.ts'
import { type CommandLine, startCommandLine } from './command-line.ts'

let cli: CommandLine
beforeAll(async () => {
  cli = await startCommandLine()
  const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] }
  const metadata = { name: 'p', labels: { app: 'x' } }
  await cli.server.call('POST', '/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata, spec })
  await cli.server.call('PATCH', '/api/v1/namespaces/default/pods/p/status', { status: { phase: 'Running' } }, PATCH_TYPES.merge)
  await cli.run(['create', 'service', 'clusterip', 'x', '--tcp', '80'])
})
afterAll(() => cli.close())

describe('exec', () => {
  it('carries output, errors and the exit code', async () => {
    expect(await cli.run(['exec', 'p', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      code: 3,
      out: 'out\n',
      err: 'err\n',
    })
    expect((await cli.run(['exec', 'svc/x', '--', 'true'])).code).toBe(0)
  })

  it('carries input and its end', async () => {
    expect(await cli.run(['exec', '-i', 'p', '--', 'cat'], { input: 'through and back' })).toEqual({
      code: 0,
      out: 'through and back',
      err: '',
    })
    expect((await cli.run(['attach', '-i', 'p'], { input: 'joined' })).out).toBe('joined')
  })

  it('says what is not there', async () => {
    expect((await cli.run(['exec', 'q', '--', 'true'])).err).toBe('error: nothing in namespace default is named "q"\n')
    expect((await cli.run(['exec', 'p', '-c', 'd', '--', 'true'])).err).toBe(
      'error: container d not found in pod p (it has: c)\n',
    )
  })
})

it('shows in a wide list what pods say of themselves, where one does', async () => {
  expect((await cli.run(['get', 'pods', '-o', 'wide'])).out).not.toContain('SAYS')
  const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] }
  const metadata = { name: 'talks', labels: { app: 'talks' } }
  await cli.server.call('POST', '/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata, spec })
  const condition = { type: 'skiff.dev/Notify', status: 'False', reason: 'Waiting', message: 'c: loading 40%' }
  const status = { status: { conditions: [condition] } }
  await cli.server.call('PATCH', '/api/v1/namespaces/default/pods/talks/status', status, PATCH_TYPES.merge)
  const lines = (await cli.run(['get', 'pods', '-o', 'wide'])).out.split('\n')
  expect(lines[0]).toMatch(/READINESS GATES +SAYS$/)
  expect(lines.find((line) => line.startsWith('p '))).toMatch(/<none> +<none>$/)
  expect(lines.find((line) => line.startsWith('talks'))).toMatch(/ c: loading 40%$/)
  expect((await cli.run(['get', 'pods'])).out).not.toContain('loading')

  // The column is there from the first pod on that says something, in what is watched too.
  const watch = cli.start(['get', 'pods', '-w', '-o', 'wide', '--field-selector', 'metadata.name!=talks'])
  await vi.waitFor(() => expect(watch.out()).toContain('READINESS GATES\n'), { timeout: 30_000 })
  expect(watch.out()).not.toContain('SAYS')
  await cli.server.call('PATCH', '/api/v1/namespaces/default/pods/p/status', status, PATCH_TYPES.merge)
  await vi.waitFor(() => expect(watch.out()).toMatch(/SAYS\np .* c: loading 40%\n/), { timeout: 30_000 })
  watch.interrupt()
  await watch.done
  const whole = cli.start(['get', 'pods', '-w', '-o', 'wide'])
  await vi.waitFor(() => expect(whole.out()).toMatch(/SAYS\n(.*\n)*talks .* c: loading 40%\n/), { timeout: 30_000 })
  whole.interrupt()
  await whole.done
})

it('prints logs, by name and by label', async () => {
  expect(await cli.run(['logs', 'p'])).toEqual({ code: 0, out: 'one\ntwo\n', err: '' })
  expect((await cli.run(['logs', '-l', 'app=x', '--prefix'])).out).toBe('[pod/p/c] one\n[pod/p/c] two\n')
  expect((await cli.run(['logs', 'p', '--previous'])).code).toBe(1)
})

it("prints a pre-start hook's log", async () => {
  const hook = { name: 'pre-start-c', image: 'i' }
  const spec = { nodeName: 'n', initContainers: [hook], containers: [{ name: 'c', image: 'i' }] }
  await cli.server.call('POST', '/api/v1/namespaces/default/pods', {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: 'hooked' },
    spec,
  })
  expect(await cli.run(['logs', 'hooked', '--stage=pre-start', '--prefix'])).toMatchObject({
    ...{ code: 0, out: '[pod/hooked/pre-start-c] one\n[pod/hooked/pre-start-c] two\n' },
  })
  expect((await cli.run(['logs', 'p', '--stage=pre-start'])).err).toContain('container c of pod p has no pre-start hook')
  expect((await cli.run(['logs', 'p', '--stage=start'])).err).toContain('the only stage with a log of its own is pre-start')
})

it('forwards a port until interrupted', async () => {
  const target = createServer((_request, response) => response.end('from the pod')).listen(0, '127.0.0.1')
  await once(target, 'listening')
  const { port } = target.address() as { port: number }
  const forward = cli.start(['port-forward', 'p', `:${port}`])
  const local = await vi.waitFor(() => {
    const found = /127\.0\.0\.1:(\d+) ->/.exec(forward.out())
    expect(found).not.toBeNull()
    return found![1]!
  })
  for (let connection = 0; connection < 10; connection++) {
    const response = await fetch(`http://127.0.0.1:${local}/`, { headers: { connection: 'close' } })
    expect(await response.text()).toBe('from the pod')
  }
  forward.interrupt()
  expect((await forward.done).code).toBe(130)
  target.close()
})
