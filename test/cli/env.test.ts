import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod } from '../../src/api/types.ts'
import type { VariableRow } from '../../src/cli/env-values.ts'
import { configMaps, nodes, pods, secrets, services } from '../../src/client/resources.ts'
import type { Cluster } from '../../src/cluster.ts'
import { startTestCluster } from '../../src/testing.ts'
import { until } from '../controllers/until.ts'
import { start } from './command-line.ts'

const IN = { namespace: 'default' }
const ref = (fieldPath: string) => ({ fieldRef: { fieldPath } })
const POD: Pod = {
  metadata: { name: 'web', ...IN, labels: { tier: 'front' } },
  spec: {
    containers: [
      {
        name: 'app',
        image: 'app',
        resources: { limits: { cpu: '2' } },
        envFrom: [{ configMapRef: { name: 'settings' }, prefix: 'SET_' }],
        env: [
          { name: 'PLAIN', value: 'x' },
          { name: 'BOTH', value: '$(PLAIN)-y' },
          { name: 'ZONE', valueFrom: ref("node:metadata.labels['topology.kubernetes.io/zone']") },
          { name: 'URL', value: 'http://$(service/db:spec.ports[0].port)/' },
          { name: 'TIER', valueFrom: ref("metadata.labels['tier']") },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
        ],
      },
      { name: 'side', image: 'side', env: [{ name: 'A', value: 'b' }] },
    ],
  },
}

let cluster: Cluster
let directory: string
const run = (...args: string[]) => start(args, { env: { KUBECONFIG: join(directory, 'config') } }).done
const rows = async (...args: string[]) => JSON.parse((await run('env', 'web', '-o', 'json', ...args)).out) as VariableRow[]

beforeAll(async () => {
  cluster = await startTestCluster()
  directory = mkdtempSync(join(tmpdir(), 'skiff-env-'))
  writeFileSync(join(directory, 'config'), cluster.kubeconfig())
  const { client } = cluster
  await client.patch(nodes, 'skiff', 'merge', { metadata: { labels: { 'topology.kubernetes.io/zone': 'a' } } })
  await client.create(configMaps, { metadata: { name: 'settings', ...IN }, data: { mode: 'fast' } })
  await client.create(secrets, { metadata: { name: 'login', ...IN }, stringData: { password: 'hunter2' } })
  await client.create(services, { metadata: { name: 'db', ...IN }, spec: { ports: [{ port: 5432 }] } })
  await client.create(pods, POD)
  await until(async () => expect((await client.get(pods, 'web', IN)).status?.phase).toBe('Running'))
}, 60_000)
afterAll(async () => {
  await cluster.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('skiff env', () => {
  it('says of each variable what it is and where it comes from', async () => {
    const found = await rows()
    const row = (container: string, name: string, value: string, source: string) => ({ container, name, value, source })
    expect(found).toEqual([
      row('app', 'SET_mode', 'fast', 'configmap settings, key mode'),
      row('app', 'PLAIN', 'x', 'literal'),
      row('app', 'BOTH', 'x-y', 'literal with $(PLAIN)'),
      row('app', 'ZONE', 'a', "field node:metadata.labels['topology.kubernetes.io/zone']"),
      row('app', 'URL', 'http://5432/', 'literal with field service/db:spec.ports[0].port'),
      row('app', 'TIER', 'front', "field metadata.labels['tier']"),
      row('app', 'CPU', '2', 'resource limits.cpu'),
      row('app', 'PASSWORD', '(hidden, see --show-secrets)', 'secret login, key password'),
      row('side', 'A', 'b', 'literal'),
    ])
    expect((await rows('--show-secrets')).find(({ name }) => name === 'PASSWORD')?.value).toBe('hunter2')
    expect((await rows('-c', 'side')).map(({ name }) => name)).toEqual(['A'])
  })

  it('says what the source says now, when that is something else', async () => {
    const { client } = cluster
    await client.patch(nodes, 'skiff', 'merge', { metadata: { labels: { 'topology.kubernetes.io/zone': 'b' } } })
    await client.patch(services, 'db', 'json', [{ op: 'replace', path: '/spec/ports/0/port', value: 1 }], IN)
    const { out, code } = await run('env', 'pod/web')
    expect(code).toBe(0)
    const line = (name: string) => out.split('\n').find((text) => text.includes(` ${name} `))
    expect(out).toMatch(/^CONTAINER +VARIABLE +VALUE +SOURCE +MOVED ON SINCE\n/)
    expect(line('ZONE')).toMatch(/ a +field node:.* +"b"$/)
    expect(line('URL')).toMatch(/ http:\/\/5432\/ .* +"1"$/)
    expect(line('PLAIN')).toMatch(/ x +literal +no$/)
    await client.delete(services, 'db', IN)
    expect((await rows()).find(({ name }) => name === 'URL')?.moved).toBe('has no value any more')
  })

  it('fails in one line for what is not there', async () => {
    expect(await run('env', 'nobody')).toMatchObject({ code: 1, err: expect.stringMatching(/nobody.*\n$/) })
    expect(await run('env', 'web', '-o', 'wide')).toMatchObject({ code: 1, err: 'error: -o wide is not known here, only json\n' })
    expect((await run('env', '--help')).out).toContain('skiff env web')
  })
})
