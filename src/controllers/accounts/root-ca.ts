/** Publishes the cluster's CA in every namespace, as the ConfigMap that pods mount to trust the API server. */
import { isAlreadyExists, isNotFound } from '../../api/status.ts'
import { configMaps, namespaces } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import { splitKey } from '../../watch/informer.ts'
import { isNamespaceTerminating } from '../parts/failures.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import { isLive } from './service-account.ts'

const NAME = 'kube-root-ca.crt'

export function rootCaPublisher(options: { caCertificate: string }): Reconciler {
  const data = { 'ca.crt': options.caCertificate }
  return {
    name: 'root-ca-certificate-publisher',
    setup(context, enqueue) {
      context.informer(namespaces).subscribe(({ key, object }) => {
        if (object) enqueue(key)
      })
      context.informer(configMaps).subscribe(({ key }) => {
        const { namespace, name } = splitKey(key)
        if (name === NAME) enqueue(namespace)
      })
    },
    async reconcile(key, context) {
      const namespace = context.informer(namespaces).store.get(key)
      if (!namespace || !isLive(namespace)) return
      const known = context.informer(configMaps).store.get(`${key}/${NAME}`)
      if (known && sameJson(known.data, data)) return
      if (known) {
        await context.client.update(configMaps, { ...copyOf(known), data: { ...data } })
        return
      }
      const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, namespace: key }, data: { ...data } }
      await context.client.create(configMaps, map).catch((error: unknown) => {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error) && !isNotFound(error)) throw error
      })
    },
  }
}
