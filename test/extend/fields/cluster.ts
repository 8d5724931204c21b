/** A cluster with the extension, and ways to write to it as somebody who is not its administrator. */
import type { KubeObject } from '../../../src/api/object.ts'
import type { StatusError } from '../../../src/api/status.ts'
import type { Pod } from '../../../src/api/types.ts'
import type { Client, ResourceRef } from '../../../src/client/client.ts'
import { createClient } from '../../../src/client/create-client.ts'
import { createHttpTransport } from '../../../src/client/http.ts'
import type { Cluster } from '../../../src/cluster.ts'

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' }
const roles: ResourceRef<KubeObject> = { ...RBAC, plural: 'roles', kind: 'Role', namespaced: true }
const roleBindings: ResourceRef<KubeObject> = { ...RBAC, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true }

/** A client over HTTPS that acts as this user. */
export function clientAs(cluster: Cluster, user: string): Client {
  const transport = createHttpTransport(cluster.access)
  return createClient({
    ...transport,
    request: (request) => transport.request({ ...request, headers: { ...request.headers, 'impersonate-user': user } }),
    close: () => transport.close(),
  })
}

/** Gives a user these verbs on these resources of the core group and `apps` in `default`. */
export async function grant(client: Client, user: string, resources: string[], verbs: string[]): Promise<void> {
  const name = `${user}-${resources[0]}-${verbs[0]}`
  await client.create(roles, {
    metadata: { name, namespace: 'default' },
    rules: [{ apiGroups: ['', 'apps'], resources, verbs }],
  })
  await client.create(roleBindings, {
    metadata: { name, namespace: 'default' },
    subjects: [{ kind: 'User', apiGroup: RBAC.group, name: user }],
    roleRef: { kind: 'Role', apiGroup: RBAC.group, name },
  })
}

export interface PodParts {
  env?: Record<string, string>
  files?: Record<string, string>
  annotations?: Record<string, string>
  labels?: Record<string, string>
  args?: string[]
  nodeName?: string
}

/** `env` and `files` are field paths by name. */
export function podOf(name: string, { env = {}, files = {}, annotations, labels, args, nodeName }: PodParts): Pod {
  const items = Object.entries(files).map(([path, fieldPath]) => ({ path, fieldRef: { fieldPath } }))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...(annotations && { annotations }), ...(labels && { labels }) },
    spec: {
      ...(nodeName && { nodeName }),
      containers: [
        {
          name: 'app',
          image: 'app:v1',
          ...(args && { args }),
          env: Object.entries(env).map(([key, fieldPath]) => ({ name: key, valueFrom: { fieldRef: { fieldPath } } })),
        },
      ],
      ...(items.length > 0 && { volumes: [{ name: 'info', downwardAPI: { items } }] }),
    },
  }
}

/** What a variable of the first container holds: its annotation's value. */
export function variable(pod: Pod, name: string): string | undefined {
  const path = pod.spec?.containers[0]?.env?.find((one) => one.name === name)?.valueFrom?.fieldRef?.fieldPath
  return annotationAt(pod, path)
}

/** What a file of the first volume holds. */
export function file(pod: Pod, path: string): string | undefined {
  const items = pod.spec?.volumes?.find((volume) => volume.downwardAPI)?.downwardAPI?.items
  return annotationAt(pod, items?.find((item) => item.path === path)?.fieldRef?.fieldPath)
}

function annotationAt(pod: Pod, path: string | undefined): string | undefined {
  const name = /^metadata\.annotations\['(.*)'\]$/.exec(path ?? '')?.[1]
  return name === undefined ? undefined : pod.metadata.annotations?.[name]
}

/** The refusal of a call that must fail. */
export async function refusalOf(call: Promise<unknown>): Promise<StatusError> {
  try {
    await call
  } catch (error) {
    return error as StatusError
  }
  throw new Error('nothing was refused')
}
