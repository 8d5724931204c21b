/** A draft by its name, as it is now. */
import { draftExpiryMs, isDraft } from '../../api/drafts.ts'
import { isNotFound } from '../../api/status.ts'
import type { PodTemplate } from '../../api/types.ts'
import { podTemplates } from '../../client/resources.ts'
import { CommandError } from '../io.ts'
import type { Place } from '../session.ts'

/** `p`, `pod/p` and `draft/p` are one. Throws CommandError for another kind. */
export function draftName(word: string): string {
  const match = /^(?:(pods?|po|drafts?)\/)?([^/]+)$/.exec(word)
  if (!match) throw new CommandError(`${JSON.stringify(word)} is no draft: NAME, pod/NAME or draft/NAME`)
  return match[2]!
}

/** Throws CommandError when there is no such draft, or its time is over. */
export async function findDraft(name: string, { client, namespace }: Place): Promise<PodTemplate> {
  let found: PodTemplate
  try {
    found = await client.get(podTemplates, name, { namespace })
  } catch (cause) {
    if (!isNotFound(cause)) throw cause
    throw new CommandError(
      `no draft is named ${JSON.stringify(name)} in namespace ${namespace}; skiff create pod ${name} begins one`,
      1,
      { cause },
    )
  }
  if (!isDraft(found)) throw new CommandError(`podtemplate/${name} is no draft: it lacks the label skiff.dev/draft=true`)
  if (isExpired(found)) throw new CommandError(`draft ${name} has expired; skiff create pod ${name} begins it anew`)
  return found
}

export function isExpired(draft: PodTemplate): boolean {
  return (draftExpiryMs(draft) ?? Number.POSITIVE_INFINITY) <= Date.now()
}
