/** Versions that a webhook converts: ConversionReviews, each object asked for once and remembered as long as it is in memory. */
import type { Conversion } from '../../api/custom/definitions.ts'
import { validateEmbeddedMetadata } from '../../api/metadata-rules.ts'
import type { KubeObject } from '../../api/object.ts'
import { custom } from '../../api/status.ts'
import type { CustomResourceDefinition, WebhookConversion } from '../../api/types.ts'
import { postJson } from '../callout/post.ts'
import type { Core } from '../core.ts'
import { copyJson } from '../objects/json.ts'
import { newUid } from '../objects/names.ts'

const TIMEOUT_MS = 30_000
/** Objects in one question. */
const BATCH = 500

/** Undefined when the definition's versions differ in nothing but their name. */
export function conversionOf(
  core: Core,
  { spec }: CustomResourceDefinition,
): ((apiVersion: string, storageVersion: string) => Conversion) | undefined {
  const { strategy, webhook } = spec.conversion ?? {}
  if (strategy !== 'Webhook' || !webhook) return undefined
  const { kind } = spec.names
  return (apiVersion, storageVersion) => {
    const known = new WeakMap<KubeObject, KubeObject>()
    const ask = (objects: readonly KubeObject[], wanted: string) => convert(core, webhook, kind, objects, wanted)
    return {
      converted: (stored) => known.get(stored),
      async prepare(stored) {
        const missing = stored.filter((one) => one.apiVersion !== apiVersion && !known.has(one))
        for (let at = 0; at < missing.length; at += BATCH) {
          const batch = missing.slice(at, at + BATCH)
          const converted = await ask(batch, apiVersion)
          for (const [index, one] of batch.entries()) known.set(one, converted[index]!)
        }
      },
      async toStorage(object) {
        if (object.apiVersion === storageVersion) return object
        const [converted] = await ask([object], storageVersion)
        return converted!
      },
    }
  }
}

async function convert(
  core: Core,
  { clientConfig = {}, conversionReviewVersions }: WebhookConversion,
  kind: string,
  objects: readonly KubeObject[],
  wanted: string,
): Promise<KubeObject[]> {
  const version = conversionReviewVersions.find((one) => one === 'v1' || one === 'v1beta1') ?? 'v1'
  const apiVersion = `apiextensions.k8s.io/${version}`
  const uid = newUid(core.random)
  const from = objects[0]?.apiVersion ?? ''
  try {
    const body = { kind: 'ConversionReview', apiVersion, request: { uid, desiredAPIVersion: wanted, objects } }
    const answer = await postJson(core, core.clock, { config: clientConfig, body, timeoutMs: TIMEOUT_MS, timeoutInQuery: true })
    return readAnswer(answer, apiVersion, uid, objects, wanted)
  } catch (error) {
    const why = error instanceof Returned ? `returned ${error.message}` : `failed: ${(error as Error).message}`
    const failure = custom(500, '', `conversion webhook for ${from}, Kind=${kind} ${why}`)
    delete failure.status.reason
    failure.cause = error
    throw failure
  }
}

type Answer = Record<string, unknown>

/** What was returned is not what was asked for. */
class Returned extends Error {
  override name = 'Returned'
}

/** Throws an Error for an answer that is none, or that says the conversion failed. */
function readAnswer(
  answer: unknown,
  apiVersion: string,
  uid: string,
  objects: readonly KubeObject[],
  wanted: string,
): KubeObject[] {
  const { response, ...given } = (answer ?? {}) as Answer & { response?: Answer }
  const isV1 = apiVersion.endsWith('/v1')
  if (isV1 && (given.apiVersion !== apiVersion || given.kind !== 'ConversionReview'))
    throw new Error(
      `expected webhook response of ${apiVersion}, Kind=ConversionReview, got ${given.apiVersion ?? ''}, Kind=${given.kind ?? ''}`,
    )
  if (!response) throw new Error('no response provided')
  if (isV1 && response.uid !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  const result = (response.result ?? {}) as { status?: string; message?: string }
  if (result.status !== 'Success')
    throw new Error(result.message || `response.result.status was '${result.status ?? ''}', not 'Success'`)
  const converted = (response.convertedObjects ?? []) as KubeObject[]
  if (converted.length !== objects.length) throw new Returned(`${converted.length} objects, expected ${objects.length}`)
  return converted.map((one, index) => checked(one, objects[index]!, wanted, objects.length > 1 ? index : undefined))
}

/** Of the metadata, a conversion may change labels and annotations. `index`: where it is in a list. */
function checked(converted: KubeObject, original: KubeObject, wanted: string, index: number | undefined): KubeObject {
  const place = index === undefined ? 'object' : `converted object at index ${index}`
  const refuse = (title: string, why: string): never => {
    throw new Returned(`invalid ${title}: ${why}`)
  }
  const typed = index === undefined ? 'object at index 0' : place
  if (converted.apiVersion !== wanted)
    refuse(typed, `invalid groupVersion (expected ${wanted}, received ${converted.apiVersion ?? ''})`)
  if (converted.kind !== original.kind)
    refuse(typed, `invalid kind (expected ${original.kind}, received ${converted.kind ?? ''})`)
  for (const [field, title] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [before, after] = [original.metadata[field] ?? '', converted.metadata?.[field] ?? '']
    if (before !== after) refuse(place, `must have the same ${title}: ${before} != ${after}`)
  }
  const metadata = index === undefined ? 'metadata' : `metadata in object at index ${index}`
  if (!converted.metadata) refuse(metadata, 'missing metadata in converted object')
  const { labels: _, annotations: __, ...kept } = copyJson(original.metadata)
  const { labels, annotations } = converted.metadata
  checkTexts({ labels, annotations }, (why) => refuse(metadata, why))
  return { ...converted, metadata: { ...kept, ...(labels && { labels }), ...(annotations && { annotations }) } }
}

function checkTexts(given: Pick<KubeObject['metadata'], 'labels' | 'annotations'>, refuse: (why: string) => void): void {
  for (const [field, texts] of Object.entries(given))
    for (const [key, value] of Object.entries((texts ?? {}) as Record<string, unknown>))
      if (typeof value !== 'string')
        refuse(`metadata.${field}[${key}] must be a string, but is ${typeof value} in converted object`)
  const [first] = validateEmbeddedMetadata(given, 'metadata')
  if (first) refuse(`${first.field}: ${first.message}`)
}
