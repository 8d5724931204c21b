/** The tags of a repository, page by page, up to a limit. */
import { RegistryError } from './errors.ts'
import { type RegistryOptions, withSession } from './manifests.ts'
import type { ImageReference } from './reference.ts'
import type { Session } from './session.ts'

const PAGE_SIZE = 1_000
/** More tags than this nobody chooses from; the repository is refused by name. */
const MAX_TAGS = 20_000
const MAX_PAGE_BYTES = 4 * 1024 * 1024

/** Sorted as the registry sorts them. Throws RegistryError. */
export function listTags(reference: ImageReference, options: RegistryOptions = {}): Promise<string[]> {
  return withSession(reference, options, async (session) => {
    const tags: string[] = []
    let path: string | undefined = `tags/list?n=${PAGE_SIZE}`
    while (path !== undefined) {
      const page: { tags: string[]; next: string | undefined } = await readPage(session, path, reference)
      tags.push(...page.tags)
      if (tags.length > MAX_TAGS) throw new RegistryError('Unusable', `${reference.name} has more than ${MAX_TAGS} tags`)
      // A page without tags that promises another would go on for ever.
      path = page.tags.length === 0 ? undefined : page.next
    }
    return tags
  })
}

async function readPage(session: Session, path: string, reference: ImageReference) {
  const { headers, body } = await session.get(path, 'application/json')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_PAGE_BYTES) throw new RegistryError('Unusable', `a page of tags is larger than ${MAX_PAGE_BYTES} bytes`)
    chunks.push(chunk)
  }
  const next = nextPage(headers.get('link'))
  return { tags: tagsOf(Buffer.concat(chunks).toString('utf8'), reference), next }
}

function tagsOf(text: string, { name }: ImageReference): string[] {
  try {
    const { tags } = JSON.parse(text) as { tags?: unknown }
    // A repository whose last tag was removed answers null.
    if (tags === null || tags === undefined) return []
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags
  } catch {
    // Said below.
  }
  throw new RegistryError('Unusable', `${name}: the registry did not answer with a list of tags`)
}

/** `Link: </v2/…/tags/list?last=x&n=2>; rel="next"` (RFC 5988); only its query is believed. */
function nextPage(link: string | null): string | undefined {
  const target = /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(link ?? '')?.[1]
  const query = target?.split('?')[1]
  return query === undefined ? undefined : `tags/list?${query}`
}
