/** Warnings in Kubernetes' words, for objects that are right but perhaps not meant so. */
import { describe, expect, it } from 'vitest'
import { container, podSpec, selector, template, warningsOf } from './write.ts'

const containers = (...list: object[]) => ({ spec: { containers: list.map((more) => ({ ...container, ...more })) } })
const volumes = (...list: object[]) => ({ spec: { ...podSpec, volumes: list } })
const ports = (...list: object[]) => containers({ ports: list })
const affinity = (of: object) => ({ spec: { ...podSpec, affinity: of } })
const NULL_SELECTOR = 'a null labelSelector results in matching no pod'

const PODS: [string, object, string[]][] = [
  ['nothing', { spec: podSpec }, []],
  [
    'a dotted name',
    { metadata: { name: 'a.b' }, spec: podSpec },
    [
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
    ],
  ],
  [
    'an old node label',
    { spec: { ...podSpec, nodeSelector: { 'beta.kubernetes.io/os': 'linux' } } },
    ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  ],
  [
    'a preference that no node can meet',
    affinity({
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 1,
            preference: { matchExpressions: [{ key: 'node-role.kubernetes.io/master', operator: 'In', values: ['-'] }] },
          },
        ],
      },
    }),
    [
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: node-role.kubernetes.io/master is use "node-role.kubernetes.io/control-plane" instead',
      expect.stringMatching(/matchExpressions\[0\]\.values\[0\]: - is invalid, a valid label must be/) as unknown as string,
    ],
  ],
  [
    'an affinity to no pod',
    affinity({ podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a' }] } }),
    [`spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: ${NULL_SELECTOR}`],
  ],
  [
    'spreading over no pod',
    { spec: { ...podSpec, topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' }] } },
    [`spec.topologySpreadConstraints[0].labelSelector: ${NULL_SELECTOR}`],
  ],
  [
    'annotations without effect',
    { metadata: { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'x' } }, spec: podSpec },
    [
      'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
    ],
  ],
  [
    'a driver that went',
    volumes({ name: 'v', gitRepo: { repository: 'r' } }),
    ['spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+'],
  ],
  [
    'files that hide each other',
    volumes({ name: 'v', configMap: { name: 'c', items: [{ key: 'a', path: 'x' }, { key: 'b', path: 'x/y' }] } }), // biome-ignore format: short
    ['volume "v" (ConfigMap "c"): overlapping paths: "x/y" with "x"'],
  ],
  [
    'aliases and pull secrets twice',
    {
      spec: {
        ...podSpec,
        hostAliases: [{ ip: '1.1.1.1' }, { ip: '1.1.1.1' }],
        imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}],
      },
    },
    [
      'spec.hostAliases[1].ip: duplicate ip "1.1.1.1"',
      'spec.imagePullSecrets[1].name: duplicate name "a"',
      'spec.imagePullSecrets[2].name: invalid empty name ""',
    ],
  ],
  [
    'parts of bytes',
    containers({ resources: { requests: { memory: '100m' } } }),
    ['spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer'],
  ],
  [
    'a variable twice',
    containers({ env: [{ name: 'A', value: '1' }, { name: 'A', value: '$(A)2' }, { name: 'A', value: '3' }] }), // biome-ignore format: short
    ['spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply'],
  ],
  [
    'a port twice',
    ports({ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }, { containerPort: 80, name: 'x' }),
    ['spec.containers[0].ports[2]: duplicate port definition with spec.containers[0].ports[0]'],
  ],
  [
    'ports that may collide',
    ports({ containerPort: 80, hostPort: 80 }, { containerPort: 80 }, { containerPort: 80, hostPort: 80, hostIP: '1.2.3.4' }),
    [
      'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[2]: dangerously ambiguous port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]',
    ],
  ],
  [
    'a port name twice',
    containers({ ports: [{ containerPort: 80, name: 'web' }] }, { name: 'd', ports: [{ containerPort: 81, name: 'web' }] }),
    [
      'spec.containers[1].ports[0]: duplicate port name "web" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ],
  ],
  [
    'an address in long form',
    { spec: { ...podSpec, hostAliases: [{ ip: '2001:DB8::0' }] } },
    ['spec.hostAliases[0].ip: IPv6 address "2001:DB8::0" should be in RFC 5952 canonical format ("2001:db8::")'],
  ],
]

describe('warnings of pods', () => {
  it.each(PODS)('%s', (_, given, expected) => {
    expect(warningsOf('pods', given)).toEqual(expected)
  })

  it('says nothing when a pod is updated', () => {
    expect(warningsOf('pods', { metadata: { name: 'a.b' }, spec: podSpec }, () => {})).toEqual([])
  })
})

const env = { ...container, env: [{ name: 'A', value: '1' }, { name: 'A', value: '2' }] } // biome-ignore format: short
const repeating = { ...template, spec: { containers: [env] } }
const HIDES = 'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'
const DOTTED =
  'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]'
const dotted = { name: 'a.b' }
const jobTemplate = { spec: { template: { spec: { ...repeating.spec, restartPolicy: 'Never' } } } }

const WORKLOADS: [string, object, string[]][] = [
  ['deployments', { metadata: dotted, spec: { selector, template: repeating } }, [DOTTED, `spec.template.${HIDES}`]],
  ['replicasets', { metadata: dotted, spec: { selector, template: repeating } }, [DOTTED, `spec.template.${HIDES}`]],
  ['replicationcontrollers', { metadata: dotted, spec: { template: repeating } }, [DOTTED, `spec.template.${HIDES}`]],
  ['daemonsets', { metadata: dotted, spec: { selector, template: repeating } }, [`spec.template.${HIDES}`]],
  [
    'statefulsets',
    { spec: { selector, template, revisionHistoryLimit: -1 } },
    ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'],
  ],
  ['jobs', { metadata: dotted, spec: jobTemplate.spec }, [DOTTED, `spec.template.${HIDES}`]],
  [
    'cronjobs',
    { metadata: dotted, spec: { schedule: '* * * * *', jobTemplate } },
    [DOTTED, `spec.jobTemplate.spec.template.${HIDES}`],
  ],
  ['podtemplates', { template: repeating }, [`template.${HIDES}`]],
]

describe('warnings of what makes pods', () => {
  it.each(WORKLOADS)('%s', (plural, given, expected) => {
    expect(warningsOf(plural, given)).toEqual(expected)
  })

  it('repeats what it has to say of a template when something else is wanted, and only then', () => {
    const given = { spec: { selector, template: repeating } }
    expect(warningsOf('deployments', given, () => {})).toEqual([])
    const counted = warningsOf('deployments', given, (object) => {
      object.metadata.generation = 2
    })
    expect(counted).toEqual([`spec.template.${HIDES}`])
  })
})

const service = (spec: object) => ({ spec: { ports: [{ port: 80 }], ...spec } })
const OTHERS: [string, string, object, string[]][] = [
  [
    'services',
    'external addresses',
    service({ externalIPs: ['1.2.3.4'] }),
    ['spec.externalIPs is deprecated and may no longer be implemented in some clusters'],
  ],
  [
    'services',
    'headless with affinity',
    service({ clusterIP: 'None', sessionAffinity: 'ClientIP' }),
    ['spec.SessionAffinity is ignored for headless services'],
  ],
  [
    'services',
    'an old word',
    service({ trafficDistribution: 'PreferClose' }),
    ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
  ],
  [
    'services',
    'an external name too many',
    service({ externalName: 'a.example' }),
    ['spec.externalName is ignored when spec.type is not "ExternalName"'],
  ],
  [
    'persistentvolumes',
    'recycling',
    {
      spec: {
        ...{ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs: { server: 's', path: '/' } },
        persistentVolumeReclaimPolicy: 'Recycle',
      },
    },
    [
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    ],
  ],
  [
    'persistentvolumeclaims',
    'an annotation for a class',
    {
      metadata: { annotations: { 'volume.beta.kubernetes.io/storage-class': 'x' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1500m' } } },
    },
    [
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
      'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    ],
  ],
  [
    'ingresses',
    'an annotation for a class',
    {
      metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } },
      spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
    },
    [`annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`],
  ],
  [
    'endpointslices',
    'names for addresses',
    { addressType: 'FQDN', endpoints: [{ addresses: ['a.example'] }] },
    ['spec.addressType: FQDN endpoints are deprecated'],
  ],
  [
    'networkpolicies',
    'a range in long form',
    { spec: { ingress: [{ from: [{ ipBlock: { cidr: '2001:DB8::/32' } }] }] } },
    [
      'spec.ingress[0].from[0].ipBlock.cidr: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")',
    ],
  ],
  [
    'serviceaccounts',
    'an annotation about secrets',
    { metadata: { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } } },
    [
      'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
    ],
  ],
  [
    'runtimeclasses',
    'an old node label',
    { handler: 'h', scheduling: { nodeSelector: { 'beta.kubernetes.io/arch': 'x' } } },
    ['scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ],
]

describe('warnings of other kinds', () => {
  it.each(OTHERS)('%s: %s', (plural, _, given, expected) => {
    expect(warningsOf(plural, given)).toEqual(expected)
  })
})
