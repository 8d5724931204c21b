import { expect, test } from 'vitest'
import type { Pod, Service } from '../../../src/api/types.ts'
import { endpointSlices, endpoints, pods, services } from '../../../src/client/resources.ts'
import { startTestCluster, type TestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const namespace = 'default'
const service: Service = {
  metadata: { name: 'web', namespace },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
}

function pod(name: string): Pod {
  const ports = [{ name: 'http', containerPort: 8080 }]
  return { metadata: { name, namespace, labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web:v1', ports }] } }
}

async function seen({ client }: TestCluster): Promise<{ ready: string[]; sliced: string[] }> {
  const { subsets } = await client.get(endpoints, 'web', { namespace })
  const slices = await client.list(endpointSlices, { namespace, labelSelector: 'kubernetes.io/service-name=web' })
  const backends = slices.items.flatMap((slice) => slice.endpoints ?? [])
  return {
    ready: (subsets ?? []).flatMap(({ addresses }) => addresses ?? []).map(({ targetRef }) => targetRef?.name ?? ''),
    sliced: backends.map(({ targetRef, conditions }) => `${targetRef?.name} ${conditions?.ready}`).sort(),
  }
}

test('the endpoints of a Service follow its pods', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(services, service)
  await until(async () => expect(await seen(cluster)).toEqual({ ready: [], sliced: [] }))
  await until(async () => void (await client.create(pods, pod('a'))))
  await client.create(pods, pod('b'))
  await until(async () => expect(await seen(cluster)).toEqual({ ready: ['a', 'b'], sliced: ['a true', 'b true'] }))
  const [slice] = (await client.list(endpointSlices, { namespace, labelSelector: 'kubernetes.io/service-name=web' })).items
  expect(slice).toMatchObject({ addressType: 'IPv4', ports: [{ name: '', port: 8080, protocol: 'TCP' }] })

  const status = { conditions: [{ type: 'Ready', status: 'False' }] }
  await client.patch(pods, 'a', 'strategic', { status }, { namespace, subresource: 'status' })
  await until(async () => expect(await seen(cluster)).toEqual({ ready: ['b'], sliced: ['a false', 'b true'] }))
  await client.delete(pods, 'b', { namespace })
  await until(async () => expect(await seen(cluster)).toEqual({ ready: [], sliced: ['a false'] }))

  await client.delete(services, 'web', { namespace })
  await until(async () => {
    const selector = { namespace, labelSelector: 'kubernetes.io/service-name=web' }
    expect((await client.list(endpointSlices, selector)).items).toEqual([])
    const names = (await client.list(endpoints, { namespace })).items.map(({ metadata }) => metadata.name)
    expect(names).not.toContain('web')
  })
})
