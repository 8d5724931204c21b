/** `skiff set serviceaccount`: whom the pods are to the API. */
import { CommandError } from '../io.ts'
import type { TemplateChange } from './set.ts'

export function serviceAccountChange(name: string): TemplateChange {
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))
    throw new CommandError(`${JSON.stringify(name)} is no name of a service account`)
  return {
    what: 'serviceaccount',
    apply(template) {
      const { spec } = template
      if (!spec) return
      spec.serviceAccountName = name
      // The older field's server-side copy would contradict it.
      if (spec.serviceAccount !== undefined) spec.serviceAccount = name
    },
  }
}
