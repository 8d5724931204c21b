/** Image references in this folder's own vocabulary of errors. */
import { type ImageReference, parseReference as parse } from '../../registry/reference.ts'
import { RuntimeError } from '../runtime/runtime.ts'

export { familiarName, type ImageReference, isDigest } from '../../registry/reference.ts'

/** Throws RuntimeError `InvalidImageName` for what is no reference. */
export function parseReference(text: string): ImageReference {
  try {
    return parse(text)
  } catch (error) {
    throw new RuntimeError('InvalidImageName', (error as Error).message, { cause: error })
  }
}
