/** Server-side apply. */
import { unsupportedMediaType } from '../../api/status.ts'
import type { ObjectAnswer } from '../request/request.ts'
import type { View } from '../views/view.ts'
import type { WriteCall } from '../write/call.ts'

export async function apply(_call: WriteCall, _view: View): Promise<ObjectAnswer> {
  throw unsupportedMediaType('415: Unsupported Media Type')
}
