/** Deletes finished Jobs when their `ttlSecondsAfterFinished` is over. */
import { isConflict, isNotFound } from '../../api/status.ts'
import type { Job } from '../../api/types.ts'
import { jobs } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import { timeMs } from '../parts/pods.ts'

export function ttlAfterFinishedController(): Reconciler {
  return {
    name: 'ttl-after-finished-controller',
    setup(context, enqueue) {
      context.informer(jobs).subscribe(({ key, object }) => {
        if (object && expiryMs(object) !== undefined) enqueue(key)
      })
    },
    async reconcile(key, context) {
      const job = context.informer(jobs).store.get(key)
      const endMs = job && expiryMs(job)
      if (!job || endMs === undefined) return
      const leftMs = endMs - context.clock.now()
      if (leftMs > 0) return { requeueAfterMs: leftMs }
      const { name = '', namespace, uid = '', resourceVersion = '' } = job.metadata
      // With the version: a Job whose time was prolonged meanwhile stays.
      const preconditions = { uid, ...(resourceVersion && { resourceVersion }) }
      await context.client
        .delete(jobs, name, { namespace, propagationPolicy: 'Foreground', preconditions })
        .catch((error: unknown) => {
          if (isConflict(error)) throw error
          if (!isNotFound(error)) throw error
        })
      return
    },
  }
}

/** When a Job is to be deleted; undefined while it runs, and for ever without a time to live. */
function expiryMs(job: Job): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished
  if (seconds === undefined || job.metadata.deletionTimestamp !== undefined) return undefined
  const finished = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )
  const finishedMs = timeMs(finished?.lastTransitionTime)
  return finishedMs === undefined ? undefined : finishedMs + seconds * 1000
}
