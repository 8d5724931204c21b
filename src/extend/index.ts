/**
 * The extensions that are built in, in the order their admission runs: pre-start hooks become containers before anything looks at
 * containers; field paths may ask for an image, which has its digest by then.
 */
import { drafts } from './drafts/expiry.ts'
import type { Extension } from './extension.ts'
import { fields } from './fields/fields.ts'
import { imagePinning, type PinMode } from './images/pinning.ts'
import { requires } from './requires/requires.ts'
import { autoRollback } from './rollback/auto-rollback.ts'
import { stages } from './stages/stages.ts'
import { imageTriggers } from './triggers/image-triggers.ts'

export interface ExtensionOptions {
  /** For namespaces that do not say: whether images must be pinned, are where they can be, or are left alone. */
  pinImages?: PinMode | undefined
}

export function builtinExtensions({ pinImages = 'off' }: ExtensionOptions = {}): Extension[] {
  return [stages, imagePinning(pinImages), fields, requires, autoRollback, imageTriggers, drafts]
}
