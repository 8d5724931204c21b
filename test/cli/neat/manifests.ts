/** Manifests of many kinds as people write them: without anything that is the default, with whatever else chance picks. */

export type Random = () => number
export type Manifest = { apiVersion: string; kind: string; metadata: { name: string } } & Record<string, unknown>

/** The same for the same seed (xorshift). */
export function randomOf(seed: number): Random {
  let state = seed * 2_654_435_761 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

export const KINDS = [
  'Pod',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'Service',
  'ConfigMap',
  'Secret',
  'PersistentVolumeClaim',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'Ingress',
  'NetworkPolicy',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
] as const

export function manifestOf(kind: (typeof KINDS)[number], name: string, random: Random): Manifest {
  const { apiVersion, ...rest } = new Writer(random).body(kind, name)
  return { apiVersion: apiVersion as string, kind, ...rest } as Manifest
}

class Writer {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  #some(part: object): object {
    return this.#random() < 0.5 ? part : {}
  }

  #one<T>(...choices: T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!
  }

  #metadata(name: string): object {
    return {
      metadata: {
        name,
        ...this.#some({ labels: { team: this.#one('a', 'b'), 'app.kubernetes.io/part-of': 'shop' } }),
        ...this.#some({ annotations: { note: 'written by a person', [`example.com/${this.#one('x', 'y')}`]: 'true' } }),
      },
    }
  }

  body(kind: (typeof KINDS)[number], name: string): Record<string, unknown> {
    const metadata = this.#metadata(name)
    const labels = { app: name }
    const replicas = this.#some({ replicas: this.#one(0, 2, 5) })
    const selector = { selector: { matchLabels: labels } }
    const template = { template: { metadata: { labels, ...this.#some({ annotations: { mode: 'fast' } }) }, spec: this.#pod() } }
    switch (kind) {
      case 'Pod':
        return {
          apiVersion: 'v1',
          ...metadata,
          spec: { ...this.#pod(), ...this.#some({ restartPolicy: this.#one('Never', 'OnFailure') }) },
        }
      case 'Deployment':
        return {
          ...{ apiVersion: 'apps/v1', ...metadata },
          spec: {
            ...{ ...selector, ...replicas, ...template },
            ...this.#some({ strategy: this.#one({ type: 'Recreate' }, { rollingUpdate: { maxSurge: 1 } }) }),
            ...this.#some({ minReadySeconds: 5, revisionHistoryLimit: 3 }),
          },
        }
      case 'StatefulSet':
        return {
          ...{ apiVersion: 'apps/v1', ...metadata },
          spec: {
            ...{ ...selector, ...replicas, ...template, serviceName: name },
            ...this.#some({ podManagementPolicy: 'Parallel' }),
            ...this.#some({ volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: this.#claim() }] }),
          },
        }
      case 'DaemonSet':
        return {
          apiVersion: 'apps/v1',
          ...metadata,
          spec: { ...selector, ...template, ...this.#some({ updateStrategy: { type: 'OnDelete' } }) },
        }
      case 'ReplicaSet':
        return { apiVersion: 'apps/v1', ...metadata, spec: { ...selector, ...replicas, ...template } }
      case 'ReplicationController':
        // Its labels and selector have the template's as their default.
        return { apiVersion: 'v1', metadata: { name, labels: { own: 'label' } }, spec: { ...replicas, ...template } }
      case 'Job':
        return { apiVersion: 'batch/v1', ...metadata, spec: this.#job() }
      case 'CronJob':
        return {
          ...{ apiVersion: 'batch/v1', ...metadata },
          spec: {
            schedule: '*/5 * * * *',
            jobTemplate: { spec: this.#job() },
            ...this.#some({ concurrencyPolicy: 'Forbid', suspend: true }),
          },
        }
      case 'Service':
        return { apiVersion: 'v1', ...metadata, spec: this.#service(labels) }
      default:
        return { ...metadata, ...this.#other(kind, name) }
    }
  }

  #job(): object {
    const template = { template: { spec: { ...this.#pod(), restartPolicy: this.#one('Never', 'OnFailure') } } }
    return {
      ...template,
      ...this.#some({ completions: 3, parallelism: 2 }),
      ...this.#some({ backoffLimit: 2, ttlSecondsAfterFinished: 60 }),
    }
  }

  #service(selector: object): object {
    const ports = this.#one(
      [{ port: 80 }],
      [{ port: 80, targetPort: 8080 }],
      [
        { name: 'web', port: 80, targetPort: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    )
    return this.#one<object>(
      { selector, ports },
      { selector, ports, clusterIP: 'None' },
      { selector, ports, type: 'NodePort', ...this.#some({ externalTrafficPolicy: 'Local' }) },
      { selector, ports, type: 'LoadBalancer', sessionAffinity: 'ClientIP' },
      { type: 'ExternalName', externalName: 'db.example.com' },
    )
  }

  #claim(): object {
    return {
      ...{ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      ...this.#some({ storageClassName: 'fast' }),
    }
  }

  #other(kind: string, name: string): Record<string, unknown> {
    switch (kind) {
      case 'ConfigMap':
        return { apiVersion: 'v1', data: { mode: 'fast', 'web.conf': 'a: 1\nb: "2"\n' }, ...this.#some({ immutable: true }) }
      case 'Secret':
        return { apiVersion: 'v1', data: { password: 'aHVudGVyMg==' }, ...this.#some({ type: 'example.com/login' }) }
      case 'PersistentVolumeClaim':
        return { apiVersion: 'v1', spec: this.#claim() }
      case 'ServiceAccount':
        return { apiVersion: 'v1', ...this.#some({ automountServiceAccountToken: false }) }
      case 'Role':
        return {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }],
        }
      case 'RoleBinding':
        return {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          roleRef: { kind: 'Role', name: 'reader' },
          subjects: [
            this.#one<object>({ kind: 'User', name: 'jane' }, { kind: 'ServiceAccount', name: 'builder', namespace: 'ci' }),
          ],
        }
      case 'Ingress': {
        const backend = { service: { name, port: { number: 80 } } }
        return {
          apiVersion: 'networking.k8s.io/v1',
          spec: { rules: [{ host: 'shop.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
        }
      }
      case 'NetworkPolicy':
        return {
          apiVersion: 'networking.k8s.io/v1',
          spec: {
            podSelector: this.#one<object>({}, { matchLabels: { app: name } }),
            ...this.#some({ ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }] }),
            policyTypes: ['Ingress', 'Egress'],
          },
        }
      case 'HorizontalPodAutoscaler':
        return {
          apiVersion: 'autoscaling/v2',
          spec: {
            scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
            ...{ maxReplicas: 5, minReplicas: 2 },
            metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }],
          },
        }
      default:
        return {
          apiVersion: 'policy/v1',
          spec: { minAvailable: this.#one<number | string>(1, '50%'), selector: { matchLabels: { app: name } } },
        }
    }
  }

  #pod(): object {
    const volumes = [
      { name: 'cache', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'settings', configMap: { name: 'settings', items: [{ key: 'a', path: 'b' }] } },
      { name: 'login', secret: { secretName: 'login', defaultMode: 256 } },
      { name: 'self', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      {
        name: 'all',
        projected: { sources: [{ configMap: { name: 'settings' } }, { serviceAccountToken: { path: 'token', audience: 'x' } }] },
      },
    ].filter(() => this.#random() < 0.4)
    const mounts = volumes.map(({ name }) => ({ name, mountPath: `/mnt/${name}`, ...this.#some({ readOnly: true }) }))
    const mounting = mounts.length > 0 ? { volumeMounts: mounts } : {}
    return {
      containers: [{ ...this.#container('app'), ...mounting }, ...(this.#random() < 0.3 ? [this.#container('helper')] : [])],
      ...this.#some({ initContainers: [this.#container('setup')] }),
      ...(volumes.length > 0 && { volumes }),
      ...this.#some({ terminationGracePeriodSeconds: 5, nodeSelector: { disk: 'ssd' } }),
      ...this.#some({ tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }] }),
      ...this.#some({ serviceAccountName: 'builder', securityContext: { runAsNonRoot: true } }),
      ...this.#some({
        affinity: {
          podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: {} }] },
        },
      }),
    }
  }

  #container(name: string): object {
    const probe = this.#one<object>(
      { tcpSocket: { port: 80 } },
      { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 5 },
    )
    const ports = [
      { name: 'http', containerPort: 8080 },
      { containerPort: 53, protocol: 'UDP' },
    ]
    const serving = name === 'app' && {
      ...this.#some({ ports }),
      ...this.#some({ readinessProbe: probe }),
      ...this.#some({ lifecycle: { preStop: { exec: { command: ['x'] } } } }),
    }
    return {
      ...{ name, image: this.#one('web:v1', 'web', 'registry.example.com/web@sha256:'.concat('0'.repeat(64))) },
      ...this.#some({ command: ['sh', '-c'], args: ['echo $(MODE); exec server'] }),
      ...this.#some({
        env: [
          { name: 'MODE', value: 'fast' },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
        ],
      }),
      ...this.#some({
        resources: this.#one<object>(
          { limits: { cpu: '500m', memory: '64Mi' } },
          { requests: { cpu: '100m' }, limits: { cpu: '1' } },
        ),
      }),
      ...this.#some({ imagePullPolicy: 'Never' }),
      ...serving,
    }
  }
}
