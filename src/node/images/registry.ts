import type { RegistryCredential } from '../runtime/runtime.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import type { Staging } from './blobs.ts'
import type { ImageReference } from './reference.ts'
export async function pullImage(
  _s: Staging,
  r: ImageReference,
  _o: { credentials?: readonly RegistryCredential[]; signal?: AbortSignal },
): Promise<{ manifest: string; config: string }> {
  throw new RuntimeError('ErrImagePull', `pulling ${r.canonical} is not supported yet`)
}
