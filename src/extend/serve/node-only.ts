/**
 * Refuses by name what only skiff's own node agent can do, where pods run on other nodes: an annotation that nobody acts on
 * would be a promise that is not kept.
 */
import type { AdmissionPlugin } from '../../api/admission.ts'
import { forbidden as forbiddenField } from '../../api/field-errors.ts'
import { invalid } from '../../api/status.ts'
import { templatePlace, writesPods } from '../fields/templates.ts'

/** By the annotation's name, or what it begins with when it ends in a dot. */
const NODE_ONLY: readonly { annotation: string; what: string }[] = [
  { annotation: 'skiff.dev/notify', what: 'sd_notify' },
  { annotation: 'skiff.dev/notify.', what: 'sd_notify' },
  { annotation: 'skiff.dev/timeouts', what: 'stage timeouts' },
  { annotation: 'skiff.dev/timeouts.', what: 'stage timeouts' },
  { annotation: 'skiff.dev/pre-start-failure.', what: 'a failure policy for pre-start hooks' },
  { annotation: 'skiff.dev/on-change.', what: 'acting on changes' },
]

export const nodeOnly: AdmissionPlugin = {
  name: 'NodeOnly',
  handles: writesPods,
  validate({ object, definition, name }) {
    if (!object) return
    const place = templatePlace(definition.group, definition.plural)
    const annotations = place ? place.of(object)?.metadata?.annotations : object.metadata.annotations
    const at = place ? `${place.at}.metadata.annotations` : 'metadata.annotations'
    const errors = Object.keys(annotations ?? {}).flatMap((annotation) => {
      const known = NODE_ONLY.find((one) =>
        one.annotation.endsWith('.') ? annotation.startsWith(one.annotation) : annotation === one.annotation,
      )
      return known
        ? [
            forbiddenField(
              `${at}[${annotation}]`,
              `${known.what} needs skiff's node agent, which this cluster's nodes do not run`,
            ),
          ]
        : []
    })
    if (errors.length > 0) throw invalid(definition, object.metadata.name ?? name, errors)
  },
}
