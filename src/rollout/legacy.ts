/** Reads the annotations that `kubectl rolling-update` (gone since 1.18) left on two controllers it was at work on. Pure. */
import type { ReplicaSet, ReplicationController } from '../api/types.ts'
import type { RollRecord } from './record.ts'

const PREFIX = 'kubectl.kubernetes.io/'

/** The old controller names the next one; the new one names its source, as `name:uid`. */
export function legacyRecord({ metadata, spec }: ReplicationController | ReplicaSet): RollRecord | undefined {
  const annotations = metadata.annotations ?? {}
  const read = (key: string) => annotations[`${PREFIX}${key}`]
  const [name = '', next, source] = [metadata.name, read('next-controller-id'), read('update-source-id')?.split(':')[0]]
  if (!next && !source) return undefined
  const wanted = read(next ? 'original-replicas' : 'desired-replicas')
  const replicas = wanted !== undefined && /^[0-9]{1,9}$/.test(wanted) ? Number(wanted) : (spec?.replicas ?? 1)
  const [from, to] = next ? [name, next] : [source ?? '', name]
  return {
    partner: next ? to : from,
    rollId: `kubectl.${from}.${to}`,
    role: next ? 'old' : 'new',
    originalReplicas: replicas,
    desiredReplicas: next ? 0 : replicas,
    // Whoever drove it is gone: the next driver writes a record of ours.
    phase: 'Paused',
    direction: 'forward',
    writtenReplicas: undefined,
    settings: { base: from },
  }
}
