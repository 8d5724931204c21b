/** The extension of field paths: `fieldRef`s of any path, of the pod and of what is around it. */
import type { Extension } from '../extension.ts'
import { fieldsAdmission } from './admission.ts'
import { fieldsReconciler } from './follow.ts'

export const fields: Extension = {
  name: 'fields',
  admission: (context) => [fieldsAdmission(context)],
  reconcilers: () => [fieldsReconciler()],
}
