import { describe, expect, test } from 'vitest'
import type { Pod, Service, ServicePort } from '../../../src/api/types.ts'
import { backendsOf } from '../../../src/controllers/endpoints/backends.ts'
import { planEndpoints } from '../../../src/controllers/endpoints/plan-endpoints.ts'
import { planSlices } from '../../../src/controllers/endpoints/plan-slices.ts'
import { cases, pod, type ShortPod } from '../table.ts'

interface Case {
  name: string
  service: { ports: ServicePort[]; selector?: Record<string, string>; publishNotReadyAddresses?: boolean; clusterIP?: string }
  pods: ShortPod[]
  containerPorts?: Record<string, Record<string, number>>
  endpoints: { addresses?: string[]; notReady?: string[]; ports: number[] }[]
  slices: { ports: number[]; endpoints: Record<string, string> }[]
}

function service(given: Case['service']): Service {
  return {
    metadata: { name: 's', namespace: 'default', uid: 's', labels: { team: 'a' } },
    spec: { selector: { app: 'web' }, clusterIP: '10.96.0.1', ...given },
  }
}

function podOf(short: ShortPod, ports: Record<string, number> = {}): Pod {
  const made = pod({ labels: { app: 'web' }, ...short })
  const named = Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' }))
  made.spec!.containers = [{ name: 'c', ports: named }]
  return made
}

describe('the endpoints of a Service', () => {
  test.each(cases<Case>(import.meta.url, './backends.yaml'))('$name', (given) => {
    const subject = service(given.service)
    const pods = given.pods.map((short) => podOf(short, given.containerPorts?.[short.name]))
    const backends = backendsOf(subject, pods, 'IPv4', () => undefined)

    const subsets = planEndpoints(subject, backends).subsets.map(({ addresses, notReadyAddresses, ports }) => ({
      ...(addresses && { addresses: addresses.map(({ targetRef }) => targetRef?.name) }),
      ...(notReadyAddresses && { notReady: notReadyAddresses.map(({ targetRef }) => targetRef?.name) }),
      ports: (ports ?? []).map(({ port }) => port),
    }))
    expect(subsets).toEqual(given.endpoints)

    const slices = planSlices(subject, 'IPv4', backends, []).create.map(({ endpoints, ports }) => ({
      ports: (ports ?? []).map(({ port }) => port),
      endpoints: Object.fromEntries((endpoints ?? []).map(({ targetRef, conditions }) => [targetRef?.name, flags(conditions)])),
    }))
    expect(slices).toEqual(given.slices)
  })
})

function flags(conditions: object | undefined): string {
  return Object.entries(conditions ?? {})
    .filter(([, holds]) => holds)
    .map(([name]) => name)
    .join(' ')
}

test('labels: the Service’s own, whose slice it is, and who manages it', () => {
  const subject = service({ ports: [{ port: 80 }], clusterIP: 'None' })
  expect(planSlices(subject, 'IPv4', [], []).create[0]?.metadata).toMatchObject({
    generateName: 's-',
    labels: {
      team: 'a',
      'kubernetes.io/service-name': 's',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      'service.kubernetes.io/headless': '',
    },
    ownerReferences: [{ kind: 'Service', name: 's', uid: 's', controller: true }],
  })
  expect(planEndpoints(subject, []).labels).toEqual({
    team: 'a',
    'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
    'service.kubernetes.io/headless': '',
  })
})

test('a hostname counts for the Service that is its subdomain', () => {
  const named = podOf({ name: 'a', ip: '10.0.0.1', ready: '1m' })
  named.spec = { ...named.spec!, hostname: 'h', subdomain: 's' }
  const subject = service({ ports: [{ port: 80 }], clusterIP: 'None' })
  expect(backendsOf(subject, [named], 'IPv4', () => undefined)[0]?.hostname).toBe('h')
  named.spec.subdomain = 'other'
  expect(backendsOf(subject, [named], 'IPv4', () => undefined)[0]?.hostname).toBeUndefined()
})

test('Endpoints hold a thousand addresses, the ready ones first, and say when some are left out', () => {
  const pods = Array.from({ length: 1_100 }, (_, i) =>
    podOf({ name: `p${i}`, ip: `10.0.${i >> 8}.${i & 255}`, ...(i >= 200 && { ready: '1m' }) }),
  )
  const subject = service({ ports: [{ port: 80 }] })
  const plan = planEndpoints(
    subject,
    backendsOf(subject, pods, 'IPv4', () => undefined),
  )
  expect(plan.truncated).toBe(true)
  expect(plan.subsets[0]?.addresses).toHaveLength(900)
  expect(plan.subsets[0]?.notReadyAddresses).toHaveLength(100)
})
