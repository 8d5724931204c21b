/** What a namespace says about its own deletion. Pure. */
import type { NamespaceCondition } from '../../api/types.ts'

/** What one pass over the content found. */
export interface Findings {
  /** Groups whose resources could not be discovered. */
  undiscovered: readonly string[]
  /** Resources whose content could not be deleted, with the reason. */
  undeleted: readonly string[]
  /** Objects left, by resource (`pods.`, `deployments.apps`). */
  remaining: ReadonlyMap<string, number>
  /** Objects left that each finalizer holds. */
  finalizers: ReadonlyMap<string, number>
}

type Said = Pick<NamespaceCondition, 'type' | 'status' | 'reason' | 'message'>

/** The conditions after a pass; a condition that says what it said keeps its time. */
export function deletionConditions(before: readonly NamespaceCondition[], findings: Findings, now: string): NamespaceCondition[] {
  const said = conditionsOf(findings)
  const conditions = said.map((one) => {
    const known = before.find(({ type }) => type === one.type)
    const same = known && known.status === one.status
    return { ...one, lastTransitionTime: same ? known.lastTransitionTime : now }
  })
  return [...before.filter(({ type }) => !said.some((one) => one.type === type)), ...conditions]
}

function conditionsOf({ undiscovered, undeleted, remaining, finalizers }: Findings): Said[] {
  return [
    say('NamespaceDeletionDiscoveryFailure', undiscovered.length > 0, {
      holds: ['DiscoveryFailed', `Discovery failed for some groups, ${undiscovered.length} failing: ${undiscovered.join(', ')}`],
      fine: ['ResourcesDiscovered', 'All resources successfully discovered'],
    }),
    say('NamespaceDeletionGroupVersionParsingFailure', false, {
      holds: ['GroupVersionParsingFailed', ''],
      fine: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    }),
    say('NamespaceDeletionContentFailure', undeleted.length > 0, {
      holds: [
        'ContentDeletionFailed',
        `Failed to delete all resource types, ${undeleted.length} remaining: ${undeleted.join(', ')}`,
      ],
      fine: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    }),
    say('NamespaceContentRemaining', remaining.size > 0, {
      holds: [
        'SomeResourcesRemain',
        `Some resources are remaining: ${list(remaining, (name, count) => `${name} has ${count} resource instances`)}`,
      ],
      fine: ['ContentRemoved', 'All content successfully removed'],
    }),
    say('NamespaceFinalizersRemaining', finalizers.size > 0, {
      holds: [
        'SomeFinalizersRemain',
        `Some content in the namespace has finalizers remaining: ${list(finalizers, (name, count) => `${name} in ${count} resource instances`)}`,
      ],
      fine: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    }),
  ]
}

function say(type: string, holds: boolean, texts: { holds: [string, string]; fine: [string, string] }): Said {
  const [reason, message] = holds ? texts.holds : texts.fine
  return { type, status: holds ? 'True' : 'False', reason, message }
}

function list(counts: ReadonlyMap<string, number>, text: (name: string, count: number) => string): string {
  return [...counts.keys()]
    .sort()
    .map((name) => text(name, counts.get(name) ?? 0))
    .join(', ')
}
