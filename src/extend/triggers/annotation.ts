/** The annotation's text: read as YAML (so JSON too), and refused where it makes no sense or would do nothing. */
import type { AdmissionPlugin } from '../../api/admission.ts'
import { forbidden, invalid, notSupported } from '../../api/field-errors.ts'
import { type FieldError, invalid as invalidObject } from '../../api/status.ts'
import { IMAGE_TRIGGERS, type ImageTrigger, PAUSED, readImageTriggers } from './settings.ts'

const FOLLOWING: ReadonlySet<string> = new Set(['deployments', 'statefulsets', 'daemonsets'])
/** Kinds with a template whose pods would not change with it. ReplicaSets inherit annotations from their Deployments. */
const NOT_FOLLOWING: ReadonlySet<string> = new Set(['replicationcontrollers', 'jobs', 'cronjobs', 'podtemplates'])

/** Throws an Error with one line. */
export async function parseAnnotation(text: string): Promise<ImageTrigger[]> {
  const { load } = await import('js-yaml')
  let document: unknown
  try {
    document = load(text)
  } catch (error) {
    throw new Error(`is not YAML: ${(error as Error).message.split('\n')[0]}`, { cause: error })
  }
  return readImageTriggers(document)
}

export const annotationCheck: AdmissionPlugin = {
  name: 'image-triggers',
  handles: ({ operation, subresource, definition: { plural } }) =>
    (operation === 'CREATE' || operation === 'UPDATE') &&
    subresource === '' &&
    (FOLLOWING.has(plural) || NOT_FOLLOWING.has(plural)),
  async validate({ object, definition: { group, kind, plural } }) {
    const annotations = object?.metadata.annotations
    const [text, paused] = [annotations?.[IMAGE_TRIGGERS], annotations?.[PAUSED]]
    const errors: FieldError[] = []
    const field = `metadata.annotations[${IMAGE_TRIGGERS}]`
    if (text !== undefined && NOT_FOLLOWING.has(plural))
      errors.push(forbidden(field, `Deployments, StatefulSets and DaemonSets follow images, not a ${kind}`))
    else if (text !== undefined) {
      await parseAnnotation(text).catch((error: unknown) => errors.push(invalid(field, text, (error as Error).message)))
    }
    if (paused !== undefined && paused !== 'true' && paused !== 'false')
      errors.push(notSupported(`metadata.annotations[${PAUSED}]`, paused, ['true', 'false']))
    if (errors.length > 0) throw invalidObject({ group, kind }, object?.metadata.name ?? '', errors)
  },
}
