/** Whether a pod's specification has a field path at all: the look that every pod gets, so it takes no step that is not needed. */
import { FIELD_PREFIX, VARIABLE_PREFIX } from '../../api/downward/annotations.ts'
import { isStockPath, type Use } from '../../api/downward/stock.ts'
import type { Container, PodSpec } from '../../api/types.ts'

/** Begins a substitution of ours; `$(NAME)` is Kubernetes' own, and has neither colon nor slash. */
export const SUBSTITUTION = /\$\((?:pod|node|owner|namespace|service|host|secret)[:/]/

export function mentionsField(spec: PodSpec): boolean {
  if (spec.containers?.some(inContainer) || spec.initContainers?.some(inContainer)) return true
  return (
    spec.volumes?.some((volume) => {
      if (volume.downwardAPI) return volume.downwardAPI.items?.some(({ fieldRef }) => isOurs(fieldRef?.fieldPath, 'file'))
      return volume.projected?.sources?.some((source) =>
        source.downwardAPI?.items?.some(({ fieldRef }) => isOurs(fieldRef?.fieldPath, 'file')),
      )
    }) === true
  )
}

function inContainer({ env, command, args }: Container): boolean {
  if (env) {
    for (const { name, value, valueFrom } of env) {
      if (value !== undefined && isSubstituted(value)) return true
      if (valueFrom?.fieldRef && isOurs(valueFrom.fieldRef.fieldPath, 'env')) return true
      if (name?.startsWith(VARIABLE_PREFIX)) return true
    }
  }
  return command?.some(isSubstituted) === true || args?.some(isSubstituted) === true
}

function isSubstituted(text: string): boolean {
  return text.includes('$(') && SUBSTITUTION.test(text)
}

function isOurs(path: string | undefined, use: Use): boolean {
  // An empty path is for Kubernetes' own validation.
  if (!path) return false
  return !isStockPath(path, use) || path.includes(FIELD_PREFIX)
}
