/** Tells a cluster which writes go to the extensions' webhook, and where that is. */
import type { KubeObject } from '../../api/object.ts'
import type { Client, ResourceRef } from '../../client/client.ts'

export const WEBHOOK_NAME = 'skiff-extensions'
const MANAGER = 'skiff-extensions'
/** A write waits this long at most; after it the failure policy decides. */
const TIMEOUT_SECONDS = 10

const configurations: ResourceRef<KubeObject> = {
  ...{ group: 'admissionregistration.k8s.io', version: 'v1', plural: 'mutatingwebhookconfigurations' },
  ...{ kind: 'MutatingWebhookConfiguration', namespaced: false },
}

/** How the API server reaches the webhook: through a Service, or straight at a URL. */
export type WebhookPlace = { service: { namespace: string; name: string } } | { url: string }

const WRITES = ['CREATE', 'UPDATE']
const RULES = [
  {
    apiGroups: [''],
    apiVersions: ['v1'],
    resources: ['pods', 'pods/status', 'pods/resize', 'pods/ephemeralcontainers'],
    operations: WRITES,
  },
  { apiGroups: [''], apiVersions: ['v1'], resources: ['pods/binding', 'bindings'], operations: ['CREATE'] },
  { apiGroups: [''], apiVersions: ['v1'], resources: ['replicationcontrollers', 'podtemplates'], operations: WRITES },
  {
    apiGroups: ['apps'],
    apiVersions: ['v1'],
    resources: ['deployments', 'replicasets', 'statefulsets', 'daemonsets'],
    operations: WRITES,
  },
  { apiGroups: ['batch'], apiVersions: ['v1'], resources: ['jobs', 'cronjobs'], operations: WRITES },
]

/** The configuration. The extensions' own namespace and kube-system are left out: a cluster must be able to start them. */
export function webhookConfiguration(place: WebhookPlace, caCertificate: string | undefined, ownNamespace: string): KubeObject {
  const at = 'url' in place ? place : { service: { ...place.service, path: '/', port: 443 } }
  const clientConfig = { ...at, ...(caCertificate && { caBundle: Buffer.from(caCertificate).toString('base64') }) }
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: WEBHOOK_NAME },
    webhooks: [
      {
        name: 'extensions.skiff.dev',
        clientConfig,
        rules: RULES.map((rule) => ({ ...rule, scope: '*' })),
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', ownNamespace] }],
        },
        ...{ failurePolicy: 'Fail', matchPolicy: 'Equivalent', sideEffects: 'None', reinvocationPolicy: 'IfNeeded' },
        ...{ timeoutSeconds: TIMEOUT_SECONDS, admissionReviewVersions: ['v1'] },
      },
    ],
  } as KubeObject
}

/** Makes or changes it; the same again changes nothing. Throws StatusError. */
export async function register(client: Client, configuration: KubeObject): Promise<void> {
  await client.patch(configurations, WEBHOOK_NAME, 'apply', configuration, { fieldManager: MANAGER, force: true })
}

export async function unregister(client: Client): Promise<void> {
  await client.delete(configurations, WEBHOOK_NAME)
}
