/** Deletes drafts that nobody has run in their time. */
import { DRAFT_LABEL, draftExpiryMs, isDraft } from '../../api/drafts.ts'
import { isNotFound } from '../../api/status.ts'
import { podTemplates } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import type { Extension } from '../extension.ts'

export const drafts: Extension = { name: 'drafts', reconcilers: () => [draftExpiry()] }

/** Long enough for any clock: a timer cannot wait longer than 24 days. */
const LONGEST_WAIT_MS = 86_400_000

function draftExpiry(): Reconciler {
  return {
    name: 'draft-expiry',
    setup(context, enqueue) {
      context.informer(podTemplates).subscribe(({ key, object }) => {
        if (object?.metadata.labels?.[DRAFT_LABEL] !== undefined) enqueue(key)
      })
    },
    async reconcile(key, context) {
      const draft = context.informer(podTemplates).store.get(key)
      if (!draft || !isDraft(draft) || draft.metadata.deletionTimestamp !== undefined) return
      const expiryMs = draftExpiryMs(draft)
      if (expiryMs === undefined) return
      const leftMs = expiryMs - context.clock.now()
      if (leftMs > 0) return { requeueAfterMs: Math.min(leftMs, LONGEST_WAIT_MS) }
      const { name = '', namespace, uid = '', resourceVersion = '' } = draft.metadata
      // With the version: a draft whose time was prolonged meanwhile stays.
      await context.client
        .delete(podTemplates, name, { namespace, preconditions: { uid, resourceVersion } })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        })
      return
    },
  }
}
