/**
 * One look of one trigger: what the container runs against what is wanted. A level, not an event: whoever looks at the same
 * state comes to the same answer, however many changes were missed.
 */
import type { Node } from '../../api/types.ts'
import { RegistryError } from '../../registry/errors.ts'
import { peekDigest, type RegistryOptions, resolveDigest } from '../../registry/manifests.ts'
import { tagsOnNodes } from '../../registry/node-images.ts'
import { type ImageReference, parseReference } from '../../registry/reference.ts'
import { listTags } from '../../registry/tags.ts'
import { candidatesOf } from './candidates.ts'
import type { ImageTrigger } from './settings.ts'

export type Look =
  | { kind: 'Follow'; image: string }
  | { kind: 'UpToDate'; message: string }
  | { kind: 'Held'; reason: 'Paused' | 'NothingFits' | 'PassedOver' | 'RegistryError'; message: string }

export interface LookOptions {
  trigger: ImageTrigger
  /** The container's image, as the template has it. */
  current: string
  /** Whether an image failed earlier; an image is given by its digest. */
  isBad(digest: string): boolean
  nodes(): Promise<readonly Node[]>
  registry(reference: ImageReference): Promise<RegistryOptions>
}

/** What failed is passed over; beyond this many nothing is looked for further down. */
const MAX_PASSED_OVER = 10

export async function lookAt(options: LookOptions): Promise<Look> {
  const { trigger, current } = options
  if (trigger.paused) return { kind: 'Held', reason: 'Paused', message: 'paused' }
  try {
    return await look(options)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    const where = trigger.image ?? current
    return { kind: 'Held', reason: 'RegistryError', message: `${where}: ${error.message}` }
  }
}

async function look({ trigger, current, isBad, nodes, registry }: LookOptions): Promise<Look> {
  const running = parseReference(current)
  const repository = trigger.image ?? repositoryOf(current)
  const wanted = parseReference(repository)
  const isSame = running.name === wanted.name
  const source = trigger.from === 'nodes' ? nodeSource(await nodes(), wanted) : await registrySource(wanted, registry)
  const tags = trigger.policy.kind === 'tag' ? [] : await source.tags()
  const candidates = candidatesOf(trigger.policy, tags, isSame ? running.tag : undefined)
  const passedOver: string[] = []
  for (const tag of candidates.tags.slice(0, MAX_PASSED_OVER + 1)) {
    const digest = await source.peek(tag)
    const told = passedOver.length > 0 ? `; passed over, as they failed: ${passedOver.join(', ')}` : ''
    if (isSame && digest === running.digest) return { kind: 'UpToDate', message: `${repository}:${tag}${told}` }
    // The tag may have moved since, and then to what failed.
    const checked = isBad(digest) ? digest : await source.checked(tag)
    if (!isBad(checked)) return { kind: 'Follow', image: `${repository}:${tag}@${checked}` }
    passedOver.push(tag)
  }
  if (passedOver.length > 0)
    return {
      kind: 'Held',
      reason: 'PassedOver',
      message: `${repository}: ${passedOver.join(', ')} failed and will not be tried again`,
    }
  return { kind: 'Held', reason: 'NothingFits', message: `${repository}: ${candidates.why}` }
}

interface Source {
  tags(): Promise<readonly string[]>
  peek(tag: string): Promise<string>
  /** The digest, with the content checked against it. */
  checked(tag: string): Promise<string>
}

function nodeSource(nodes: readonly Node[], repository: ImageReference): Source {
  const known = tagsOnNodes(nodes, repository)
  const digestOf = async (tag: string) => {
    const digest = known.get(tag)
    if (digest === undefined) throw new RegistryError('NotFound', `no node has the tag ${tag}, or nodes disagree about it`)
    return digest
  }
  return { tags: async () => [...known.keys()], peek: digestOf, checked: digestOf }
}

async function registrySource(repository: ImageReference, access: LookOptions['registry']): Promise<Source> {
  const options = await access(repository)
  const tagged = (tag: string): ImageReference => ({ ...repository, tag, canonical: `${repository.name}:${tag}` })
  return {
    tags: () => listTags(repository, options),
    peek: (tag) => peekDigest(tagged(tag), options),
    checked: (tag) => resolveDigest(tagged(tag), options),
  }
}

/** As it was written, without tag and digest. */
function repositoryOf(image: string): string {
  const [written = ''] = image.split('@')
  const colon = written.lastIndexOf(':')
  return colon > written.lastIndexOf('/') ? written.slice(0, colon) : written
}
