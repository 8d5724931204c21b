/** `-o neat`: what somebody wrote of an object, without what the cluster added. Applied elsewhere it makes the same again. */
import type { KubeObject } from '../../api/object.ts'
import { takeDefaults } from './defaults.ts'
import { restoreFieldPaths } from './field-paths.ts'
import { isMadeByController, takeAllocated, takeGenerated } from './generated.ts'
import type { Kind } from './kind.ts'
import { claimsOf } from './owners.ts'
import { writtenPart } from './written.ts'

export interface NeatOptions {
  /** Undefined: nothing is known of the kind; only what no kind's user writes goes. */
  readonly kind: Kind | undefined
  /** Otherwise the namespace is left to whoever applies it. */
  readonly withNamespace: boolean
}

export function neat(object: KubeObject, { kind, withNamespace }: NeatOptions): KubeObject {
  const { apiVersion, kind: name, metadata } = object
  const claims = claimsOf(object)
  const part = claims ? writtenPart(object, kind?.schema, claims) : { value: structuredClone(object), exact: new Set<string>() }
  const written = structuredClone(part.value) as Partial<KubeObject> | undefined
  const namespace = withNamespace && metadata.namespace !== undefined ? { namespace: metadata.namespace } : {}
  const { name: _, namespace: __, ...others } = written?.metadata ?? {}
  const result: KubeObject = {
    ...{ apiVersion, kind: name },
    ...written,
    metadata: { name: metadata.name, ...namespace, ...others },
  }
  if (!claims) takeAllocated(result)
  restoreFieldPaths(object, result)
  takeGenerated(result, isMadeByController(object))
  if (kind) takeDefaults(result, kind, part.exact)
  return result
}
