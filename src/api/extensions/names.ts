/** The annotations with which pods ask for what Kubernetes does not have. Parsers are beside this file; none does any I/O. */

/** `"true"`: every main container says by sd_notify when it is ready. */
export const NOTIFY = 'skiff.dev/notify'
/** `skiff.dev/notify.CONTAINER: "true"|"false"` decides for one container, sidecars included. */
export const NOTIFY_PREFIX = 'skiff.dev/notify.'
/** `skiff.dev/timeouts: "ready: 1m, stop: 20s"` for all containers of the pod. */
export const TIMEOUTS = 'skiff.dev/timeouts'
/** `skiff.dev/timeouts.CONTAINER`: the same for one, stage by stage over the pod's. */
export const TIMEOUTS_PREFIX = 'skiff.dev/timeouts.'

/** The condition that shows what notifying containers say. */
export const NOTIFY_CONDITION = 'skiff.dev/Notify'

/** What is wrong with an annotation, in its own words. */
export interface AnnotationProblem {
  annotation: string
  message: string
}
