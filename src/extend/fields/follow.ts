/**
 * Keeps pods' values true: lifts the gate of those that waited for a value, and rewrites the annotations behind files when their
 * source has changed. Variables keep what they had, unless an annotation of the pod asks for more (`on-change.ts`).
 */
import { FIELDS_GATE, isLive, readSources, SOURCES_ANNOTATION } from '../../api/downward/annotations.ts'
import type { FieldSource } from '../../api/downward/source.ts'
import type { Pod } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { nodes, pods } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { splitKey } from '../../watch/informer.ts'
import { isGated } from './admit-pod.ts'
import { changesOf } from './changes.ts'
import { Followed } from './followed.ts'
import { watchedVariables } from './on-change.ts'
import { movedFiles, type Values, valuesAt } from './values.ts'

const CONDITION = 'skiff.dev/FieldsResolved'
/** In the version that skiff's node agents tell. */
const SKIFF_VERSION = '+skiff'

export function fieldsReconciler(): Reconciler {
  let followed: Followed | undefined
  return {
    name: 'fields',
    setup(context, enqueue) {
      followed = new Followed(context, enqueue)
      context.informer(pods).subscribe(({ key, object, old }) => {
        if ((object ?? old)?.metadata.annotations?.[SOURCES_ANNOTATION] !== undefined) enqueue(key)
      })
    },
    async reconcile(key, context) {
      const pod = context.informer(pods).store.get(key)
      if (followed) await reconcilePod(key, pod, context, followed)
    },
  }
}

async function reconcilePod(key: string, pod: Pod | undefined, context: ReconcileContext, followed: Followed): Promise<void> {
  const sources = pod && !isOver(pod) ? sourcesNow(pod) : undefined
  if (!pod || !sources || sources.size === 0) return followed.forget(key)
  const { related, done } = followed.lookup(key)
  const bound = Boolean(pod.spec?.nodeName)
  const values = await valuesAt(bound ? 'running' : 'creation', sources, pod, related)
  done()
  if (bound) await follow(key, pod, values, context)
  else if (values.missing.size > 0) await tellMissing(key, pod, values, context)
  else await release(key, pod, values, context)
}

function isOver({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

/** What has to be looked at now: before the node is known everything, if the pod waits for it; then what follows its source. */
function sourcesNow(pod: Pod): Map<string, FieldSource> {
  const all = readSources(pod.metadata.annotations)
  if (!pod.spec?.nodeName) return isGated(pod) ? all : new Map()
  const watched = new Set(watchedVariables(pod.spec, pod.metadata.annotations).flatMap(({ keys }) => keys))
  return new Map([...all].filter(([key]) => isLive(key) || watched.has(key)))
}

async function release(key: string, pod: Pod, { known }: Values, { client, clock }: ReconcileContext): Promise<void> {
  const { namespace, name } = splitKey(key)
  const gate = { name: FIELDS_GATE, $patch: 'delete' }
  await client.patch(
    pods,
    name,
    'strategic',
    { metadata: { annotations: known, uid: pod.metadata.uid }, spec: { schedulingGates: [gate] } },
    { namespace },
  )
  const condition = { type: CONDITION, status: 'True', reason: 'Resolved', message: '', lastTransitionTime: timestamp(clock) }
  await client.patch(pods, name, 'strategic', { status: { conditions: [condition] } }, { namespace, subresource: 'status' })
}

async function tellMissing(key: string, pod: Pod, { missing }: Values, context: ReconcileContext): Promise<void> {
  const message = [...missing.values()].join('; ')
  const told = pod.status?.conditions?.find(({ type }) => type === CONDITION)
  if (told?.status === 'False' && told.message === message) return
  const { namespace, name } = splitKey(key)
  const lastTransitionTime = timestamp(context.clock)
  const condition = { type: CONDITION, status: 'False', reason: 'NoValue', message, lastTransitionTime }
  context.event(pod, { type: 'Warning', reason: 'FieldHasNoValue', message: `the pod waits: ${message}` })
  await context.client.patch(
    pods,
    name,
    'strategic',
    { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } },
    { namespace, subresource: 'status' },
  )
}

/** A value that is gone stays as it was: its file is better old than empty. */
async function follow(key: string, pod: Pod, values: Values, context: ReconcileContext): Promise<void> {
  const { namespace, name } = splitKey(key)
  const { annotations, notices } = changesOf(pod, values)
  const moved = { ...movedFiles(values, pod.metadata.annotations), ...annotations }
  if (Object.keys(moved).length === 0) return
  await context.client.patch(pods, name, 'merge', { metadata: { annotations: moved, uid: pod.metadata.uid } }, { namespace })
  if (notices.length > 0) await tellChanges(pod, notices, context)
}

/** Nodes of others know nothing of restarts and signals for a token: that is said, and the next restart brings the value. */
async function tellChanges(pod: Pod, notices: readonly string[], { client, event }: ReconcileContext): Promise<void> {
  const name = pod.spec?.nodeName ?? ''
  const { status } = await client.get(nodes, name)
  const acts = status?.nodeInfo?.kubeletVersion.includes(SKIFF_VERSION) ?? false
  for (const message of notices) {
    if (acts) event(pod, { type: 'Normal', reason: 'FieldChanged', message })
    else
      event(pod, {
        type: 'Warning',
        reason: 'ChangeNotActedOn',
        message: `${message}: node ${name} has no agent of skiff, and does not`,
      })
  }
}
