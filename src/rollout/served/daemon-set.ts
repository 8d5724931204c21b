/** DaemonSets, as the engine for server-side rolls sees them: a pod on each node. */
import type { DaemonSet } from '../../api/types.ts'
import { daemonSets } from '../../client/resources.ts'
import { RollError } from '../progress.ts'
import { isSeen, type ServedKind } from './kind.ts'
import { controllerRevisionsOf } from './revisions.ts'

export const daemonSetKind: ServedKind<DaemonSet> = {
  word: 'daemonset',
  resource: daemonSets,
  stateOf(set) {
    if (!isSeen(set)) return 'rolling'
    const { wanted, updated, available } = this.countsOf(set)
    return updated >= wanted && available >= wanted ? 'complete' : 'rolling'
  },
  countsOf: ({ status }) => ({
    wanted: status?.desiredNumberScheduled ?? 0,
    updated: status?.updatedNumberScheduled ?? 0,
    available: status?.numberAvailable ?? 0,
    all: status?.currentNumberScheduled ?? 0,
  }),
  pace({ maxSurge, maxUnavailable, minReadySeconds }, { metadata, spec }) {
    const name = `daemonset/${metadata.name}`
    if (spec?.updateStrategy?.type === 'OnDelete')
      throw new RollError(`${name} updates pods only when they are deleted: its updateStrategy is OnDelete`)
    const rollingUpdate = { ...(maxSurge !== undefined && { maxSurge }), ...(maxUnavailable !== undefined && { maxUnavailable }) }
    return {
      ...(Object.keys(rollingUpdate).length > 0 && { updateStrategy: { type: 'RollingUpdate', rollingUpdate } }),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
    }
  },
  release: () => ({}),
  revisions: controllerRevisionsOf,
}
