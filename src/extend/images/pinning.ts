/**
 * Image pinning: in a namespace that asks for it, `repo:tag` becomes `repo:tag@sha256:…` as pods and pod templates are written,
 * so that what was tested is what runs, on every node and after every restart. An image that a write does not change stays as
 * it is, and one whose tag it does not change keeps its digest: applying a manifest again moves nothing.
 */
import type { AdmissionPlugin, AdmissionRequest } from '../../api/admission.ts'
import { invalid, notSupported } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { type FieldError, invalid as invalidObject, isNotFound } from '../../api/status.ts'
import type { ResourceRef } from '../../client/client.ts'
import { namespaces, nodes } from '../../client/resources.ts'
import { type CachedDigests, createCachedDigests } from '../../registry/cached-digests.ts'
import { RegistryError } from '../../registry/errors.ts'
import { pinImage } from '../../registry/find-digest.ts'
import { type PodImage, podImages, podSpecOf } from '../../registry/pod-images.ts'
import { type ImageReference, parseReference } from '../../registry/reference.ts'
import type { Cache } from '../../watch/informer.ts'
import type { Extension, ExtensionContext } from '../extension.ts'
import { pullAccess } from './pull-access.ts'

/** On a namespace. */
export const PIN_LABEL = 'skiff.dev/pin-images'
const MODES = ['require', 'warn', 'off'] as const

export type PinMode = (typeof MODES)[number]

/** By `group/plural`: what is a pod or makes pods. */
const PINNED: ReadonlySet<string> = new Set([
  ...['/pods', '/replicationcontrollers', '/podtemplates', 'batch/jobs', 'batch/cronjobs'],
  ...['apps/deployments', 'apps/replicasets', 'apps/statefulsets', 'apps/daemonsets'],
])

/** `usual`: for namespaces without the label. */
export function imagePinning(usual: PinMode): Extension {
  return {
    name: 'image-pinning',
    admission: (context) => [new ImagePinning(context, usual), labelCheck],
  }
}

class ImagePinning implements AdmissionPlugin {
  readonly name = 'image-pinning'
  readonly #context: ExtensionContext
  readonly #usual: PinMode
  readonly #digests: CachedDigests

  constructor(context: ExtensionContext, usual: PinMode) {
    this.#context = context
    this.#usual = usual
    this.#digests = createCachedDigests({ clock: context.clock })
  }

  handles({ operation, subresource, definition: { group, plural } }: AdmissionRequest): boolean {
    if (operation !== 'CREATE' && operation !== 'UPDATE') return false
    if (subresource !== '' && !(subresource === 'ephemeralcontainers' && plural === 'pods')) return false
    return PINNED.has(`${group}/${plural}`)
  }

  async mutate(request: AdmissionRequest): Promise<void> {
    const { object, old, namespace } = request
    if (!object) return
    const mode = await this.#modeOf(namespace)
    if (mode === 'off') return
    // A template that a controller made is its owner's, and must stay equal to it. The pods of it are pinned themselves.
    if (object.kind !== 'Pod' && object.metadata.ownerReferences?.some(({ controller }) => controller)) return
    const place = podSpecOf(object)
    if (!place) return
    const open = openImages(podImages(place.spec, place.at), old)
    if (open.length === 0) return
    const accessTo = await pullAccess(this.#context.client, namespace, place.spec)
    const sources = {
      nodes: async () => (await this.#synced(nodes)).list(),
      registry: async (reference: ImageReference) => this.#digests.resolve(reference, await accessTo(reference)),
    }
    const failures: FieldError[] = []
    for (const { image, failure } of await Promise.all(
      open.map(async (image) => {
        try {
          image.set((await pinImage(image.image, image.pullPolicy, sources)).image)
          return { image, failure: undefined }
        } catch (error) {
          if (!(error instanceof RegistryError)) throw error
          return { image, failure: error }
        }
      }),
    )) {
      if (failure) failures.push(invalid(image.path, image.image, `cannot be pinned to a digest: ${failure.message}`))
    }
    if (failures.length === 0) return
    if (mode === 'require') throw refusalOf(request, failures)
    for (const { field, message } of failures) request.warn(`${field}: ${message}`)
  }

  async #modeOf(name: string): Promise<PinMode> {
    const cache = await this.#synced(namespaces)
    const namespace = cache.get(name) ?? (await this.#context.client.get(namespaces, name).catch(noneOf))
    const label = namespace?.metadata.labels?.[PIN_LABEL]
    return isMode(label) ? label : this.#usual
  }

  async #synced<T extends KubeObject>(resource: ResourceRef<T>): Promise<Cache<T>> {
    const informer = this.#context.informers.get(resource)
    if (!informer.synced) await informer.whenSynced()
    return informer.store
  }
}

/** A misspelt mode would be no protection, and nobody would notice. */
const labelCheck: AdmissionPlugin = {
  name: 'image-pinning-label',
  handles: ({ operation, subresource, definition: { group, plural } }) =>
    (operation === 'CREATE' || operation === 'UPDATE') && subresource === '' && group === '' && plural === 'namespaces',
  validate(request) {
    const label = request.object?.metadata.labels?.[PIN_LABEL]
    if (label === undefined || isMode(label)) return
    throw refusalOf(request, [notSupported(`metadata.labels[${PIN_LABEL}]`, label, MODES)])
  },
}

/**
 * The images that need a digest and have none. Those that the write leaves as they were are left out; those whose tag is the
 * old one's get its digest back.
 */
function openImages(images: readonly PodImage[], old: KubeObject | undefined): PodImage[] {
  const unpinned = images.filter(({ image }) => !image.includes('@'))
  const place = old && unpinned.length > 0 ? podSpecOf(old) : undefined
  if (!place) return unpinned
  const before = new Map(podImages(place.spec, place.at).map(({ id, image }) => [id, image]))
  return unpinned.filter(({ id, image, set }) => {
    const known = before.get(id)
    if (known === undefined) return true
    if (known === image) return false
    if (!known.includes('@') || !isSameTag(known, image)) return true
    set(known)
    return false
  })
}

/** Texts that are no image names are the server's validation's to refuse. */
function isSameTag(pinned: string, image: string): boolean {
  try {
    return parseReference(pinned.split('@')[0] ?? '').canonical === parseReference(image).canonical
  } catch {
    return false
  }
}

function refusalOf({ definition, name, object }: AdmissionRequest, errors: readonly FieldError[]) {
  const shown = name || object?.metadata.name || object?.metadata.generateName || ''
  return invalidObject({ group: definition.group, kind: definition.kind }, shown, errors)
}

function isMode(text: string | undefined): text is PinMode {
  return (MODES as readonly (string | undefined)[]).includes(text)
}

function noneOf(error: unknown): undefined {
  if (isNotFound(error)) return undefined
  throw error
}
