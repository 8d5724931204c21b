/** Sees to it that every namespace has the service account `default`: pods cannot be made without it. */
import { isAlreadyExists, isNotFound } from '../../api/status.ts'
import type { Namespace } from '../../api/types.ts'
import { namespaces, serviceAccounts } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import { splitKey } from '../../watch/informer.ts'
import { isNamespaceTerminating } from '../parts/failures.ts'

const DEFAULT_NAME = 'default'
/** Everything that runs waits for these, so many namespaces are served at once. */
const CONCURRENCY = 20

export function serviceAccountController(): Reconciler {
  return {
    name: 'service-account-controller',
    concurrency: CONCURRENCY,
    setup(context, enqueue) {
      context.informer(namespaces).subscribe(({ key, object }) => {
        if (object) enqueue(key)
      })
      context.informer(serviceAccounts).subscribe(({ key, object }) => {
        const { namespace, name } = splitKey(key)
        if (!object && name === DEFAULT_NAME) enqueue(namespace)
      })
    },
    async reconcile(key, context) {
      const namespace = context.informer(namespaces).store.get(key)
      if (!namespace || !isLive(namespace) || context.informer(serviceAccounts).store.get(`${key}/${DEFAULT_NAME}`)) return
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: DEFAULT_NAME, namespace: key } }
      await context.client.create(serviceAccounts, account).catch((error: unknown) => {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error) && !isNotFound(error)) throw error
      })
    },
  }
}

export function isLive(namespace: Namespace): boolean {
  return namespace.metadata.deletionTimestamp === undefined && namespace.status?.phase !== 'Terminating'
}
