/** The namespace controller: empties a namespace that is being deleted, then lets it go. */

import { isConflict, isNotFound } from '../../api/status.ts'
import type { Namespace } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { namespaces, pods } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import { deletionConditions, type Findings } from './conditions.ts'
import { deleteContent } from './content.ts'

const FINALIZER = 'kubernetes'
/** The first look at content that did not go at once, and the longest wait between two looks. */
const FIRST_LOOK_MS = 50
const LAST_LOOK_MS = 5_000

export function namespaceController(): Reconciler {
  const looks = new Map<string, number>()
  return {
    name: 'namespace-controller',
    setup(context, enqueue) {
      const store = context.informer(namespaces).store
      context.informer(namespaces).subscribe(({ key, object }) => {
        if (object?.metadata.deletionTimestamp !== undefined) enqueue(key)
        if (!object) looks.delete(key)
      })
      context.informer(pods).subscribe(({ object, old }) => {
        const namespace = old?.metadata.namespace ?? ''
        if (object || store.get(namespace)?.metadata.deletionTimestamp === undefined) return
        if (context.informer(pods).store.list(namespace).length === 0) enqueue(namespace)
      })
    },
    async reconcile(key, context) {
      const namespace = context.informer(namespaces).store.get(key)
      if (namespace?.metadata.deletionTimestamp === undefined || !(namespace.spec?.finalizers ?? []).includes(FINALIZER)) return
      const findings = await deleteContent(context.client, key, context.signal)
      if (findings.remaining.size === 0 && findings.undeleted.length === 0 && findings.undiscovered.length === 0) {
        await finalize(context, namespace)
        return
      }
      await report(context, namespace, findings)
      const look = looks.get(key) ?? 0
      looks.set(key, look + 1)
      return { requeueAfterMs: Math.min(LAST_LOOK_MS, FIRST_LOOK_MS * 2 ** look) }
    },
  }
}

async function report({ client, clock }: ReconcileContext, namespace: Namespace, findings: Findings): Promise<void> {
  const before = namespace.status?.conditions ?? []
  const conditions = deletionConditions(before, findings, timestamp(clock))
  if (sameJson(conditions, before)) return
  const changed = { ...copyOf(namespace), status: { ...namespace.status, conditions } }
  await client.updateStatus(namespaces, changed).catch(ignoreGone)
}

async function finalize({ client }: ReconcileContext, namespace: Namespace): Promise<void> {
  const changed = copyOf(namespace)
  changed.spec = { ...changed.spec, finalizers: (changed.spec?.finalizers ?? []).filter((one) => one !== FINALIZER) }
  await client.update(namespaces, changed, { subresource: 'finalize' }).catch((error: unknown) => {
    if (isConflict(error)) throw error
    ignoreGone(error)
  })
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error)) throw error
}
