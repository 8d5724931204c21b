/** The extension of preconditions: pods start when what they require is there. */
import type { Extension } from '../extension.ts'
import { requiresAdmission } from './admission.ts'
import { requiresReconciler } from './reconciler.ts'

export const requires: Extension = {
  name: 'requires',
  admission: (context) => [requiresAdmission(context)],
  reconcilers: ({ connect }) => [requiresReconciler({ connect })],
}
