/** Where the images of a pod stand in an object: in its containers and in volumes that are images. Pure. */
import type { KubeObject } from '../api/object.ts'
import type { PodSpec } from '../api/types.ts'

/** One image: where it is read and where it is written. */
export interface PodImage {
  /** As errors name it. */
  readonly path: string
  /** The same for the same container or volume, wherever it stands in its list. */
  readonly id: string
  readonly image: string
  readonly pullPolicy: string | undefined
  set(image: string): void
}

const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** The spec of a pod, or of the pods an object makes, and where it stands; undefined for what makes none. */
export function podSpecOf(object: KubeObject): { spec: PodSpec; at: string } | undefined {
  if (object.kind === 'Pod') return object.spec && { spec: object.spec as PodSpec, at: 'spec' }
  for (const at of ['spec.jobTemplate.spec.template.spec', 'spec.template.spec', 'template.spec']) {
    let found: unknown = object
    for (const part of at.split('.')) found = (found as Record<string, unknown> | undefined)?.[part]
    if (found) return { spec: found as PodSpec, at }
  }
  return undefined
}

/** `at` is where the spec stands. Containers without an image are left out. */
export function podImages(spec: PodSpec, at: string): PodImage[] {
  const images: PodImage[] = []
  for (const list of CONTAINER_LISTS) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      if (!container.image) continue
      images.push({
        ...{ path: `${at}.${list}[${i}].image`, id: `${list}/${container.name}` },
        ...{ image: container.image, pullPolicy: container.imagePullPolicy },
        set: (image) => {
          container.image = image
        },
      })
    }
  }
  for (const [i, { name, image: volume }] of (spec.volumes ?? []).entries()) {
    if (!volume?.reference) continue
    images.push({
      ...{ path: `${at}.volumes[${i}].image.reference`, id: `volumes/${name}` },
      ...{ image: volume.reference, pullPolicy: volume.pullPolicy },
      set: (reference) => {
        volume.reference = reference
      },
    })
  }
  return images
}
