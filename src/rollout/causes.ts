/** What the history keeps of a roll, as annotations: who, with what command, why, when, and which images changed. Pure. */
import type { PodTemplateSpec } from '../api/types.ts'
import { type Clock, timestamp } from '../base/clock.ts'

/** Shown by `kubectl rollout history` too. */
export const CHANGE_CAUSE = 'kubernetes.io/change-cause'
export const BY = 'skiff.dev/by'
export const COMMAND = 'skiff.dev/command'
export const NOTE = 'skiff.dev/note'
export const IMAGE_CHANGE = 'skiff.dev/image-change'
export const ROLLED_AT = 'skiff.dev/rolled-at'

const KEYS: readonly string[] = [CHANGE_CAUSE, BY, COMMAND, NOTE, IMAGE_CHANGE, ROLLED_AT]

export interface Cause {
  clock: Clock
  by?: string | undefined
  command?: string | undefined
  note?: string | undefined
}

export function causeAnnotations(
  cause: Cause,
  before: PodTemplateSpec | undefined,
  after: PodTemplateSpec | undefined,
): Record<string, string> {
  const { by, command, note } = cause
  const images = imageChange(before, after)
  return {
    ...(by && { [BY]: by }),
    ...(command && { [COMMAND]: command }),
    ...(note && { [NOTE]: note }),
    ...((note ?? command) && { [CHANGE_CAUSE]: note ?? command ?? '' }),
    ...(images && { [IMAGE_CHANGE]: images }),
    [ROLLED_AT]: timestamp(cause.clock),
  }
}

/** For a merge patch of an object that had other causes before. */
export function causePatch(annotations: Record<string, string>): Record<string, string | null> {
  return { ...(Object.fromEntries(KEYS.map((key) => [key, null])) as Record<string, null>), ...annotations }
}

export function withoutCauses(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !KEYS.includes(key)))
}

/** `web: web:v1 → web:v2`, each container whose image is another one. */
function imageChange(before: PodTemplateSpec | undefined, after: PodTemplateSpec | undefined): string {
  const olds = imagesOf(before)
  return [...imagesOf(after)]
    .filter(([name, image]) => olds.get(name) !== image)
    .map(([name, image]) => `${name}: ${olds.get(name) ?? 'none'} → ${image}`)
    .join(', ')
}

export function imagesOf(template: PodTemplateSpec | undefined): Map<string, string> {
  const { initContainers = [], containers = [] } = template?.spec ?? {}
  return new Map([...initContainers, ...containers].map(({ name, image }) => [name, image ?? '']))
}
