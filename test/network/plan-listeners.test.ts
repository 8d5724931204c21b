import { expect, it } from 'vitest'
import type { Service, ServicePort } from '../../src/api/types.ts'
import { endpointSet } from '../../src/network/endpoint-set.ts'
import { listenerKey, planListeners } from '../../src/network/plan-listeners.ts'

const sites = { reach: 'host', nodeAddress: '10.88.0.1', nodeAddresses: ['192.0.2.7', '127.0.0.1'] } as const

function service(spec: Service['spec'], ports: ServicePort[] = [{ name: 'http', port: 80, nodePort: 30080 }]): Service {
  return { metadata: { name: 's', namespace: 'default' }, spec: { clusterIP: '10.96.0.5', ports, ...spec } }
}

it('serves ClusterIPs inside the pod network and NodePorts on every address of the host', () => {
  const keys = (given: Parameters<typeof planListeners>) => planListeners(...given).listeners.map(listenerKey)
  const onHost = ['host/TCP/127.0.0.1:30080', 'host/TCP/192.0.2.7:30080']
  expect(keys([service({}), sites])).toEqual(['pods/TCP/10.96.0.5:80', ...onHost])
  expect(keys([service({}), { ...sites, reach: 'none' }])).toEqual(onHost)
  const inside = { reach: 'inside', nodeAddress: '10.88.0.1', nodeAddresses: ['10.88.0.1'] } as const
  expect(keys([service({}), inside])).toEqual(['pods/TCP/10.96.0.5:80', 'host/TCP/127.0.0.1:30080', 'pods/TCP/10.88.0.1:30080'])
  expect(keys([service({ clusterIP: 'None' }, [{ port: 80 }]), sites])).toEqual([])
  expect(keys([service({ type: 'ExternalName' }), sites])).toEqual([])
})

it('says what of a Service it does not serve', () => {
  const { listeners, unsupported } = planListeners(
    service({ externalIPs: ['192.0.2.1'] }, [{ port: 1, protocol: 'SCTP' }, { port: 2 }]),
    sites,
  )
  expect(listeners.map(listenerKey)).toEqual(['pods/TCP/10.96.0.5:2'])
  expect(unsupported).toEqual(['spec.externalIPs', 'spec.ports[0].protocol: SCTP'])
})

it('takes endpoints by port name and protocol, unknown readiness as ready, and each once', () => {
  const slice = {
    metadata: { name: 's' },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.88.0.2'] }, { addresses: ['10.88.0.3'], conditions: { ready: false, serving: true } }],
    ports: [
      { name: 'a', port: 1 },
      { name: 'b', port: 2, protocol: 'UDP' },
    ],
  }
  const keys = (name: string, protocol: string) => endpointSet([slice, slice], name, protocol).map(({ key }) => key)
  expect(keys('a', 'TCP')).toEqual(['10.88.0.2:1'])
  expect(keys('b', 'UDP')).toEqual(['10.88.0.2:2'])
  expect(keys('b', 'TCP')).toEqual([])
  expect(endpointSet([{ ...slice, addressType: 'IPv6' }], 'a', 'TCP')).toEqual([])
})
