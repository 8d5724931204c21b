/** The strategic patch from one object to another, as `kubectl apply` computes it: the other half of what `strategicMerge` does. */
import { child } from '../../../src/api/schema/lookup.ts'
import type { Field, Schema } from '../../../src/api/schema/schema.ts'
import { equalJson, isRecord } from '../../../src/server/objects/json.ts'

type JsonObject = Record<string, unknown>

export function strategicDiff(from: JsonObject, to: JsonObject, schema: Schema | undefined, retainKeys = false): JsonObject {
  const patch: JsonObject = {}
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch[key] = null
  for (const [key, wanted] of Object.entries(to)) {
    const current = Object.hasOwn(from, key) ? from[key] : undefined
    if (equalJson(current, wanted)) continue
    const known = schema && child(schema, key)
    const strategy = known?.field?.patchStrategy
    if (isRecord(current) && isRecord(wanted) && strategy !== 'replace') {
      patch[key] = strategicDiff(current, wanted, known?.schema, known?.field?.retainKeys)
    } else if (Array.isArray(current) && Array.isArray(wanted) && strategy === 'merge') {
      const field = known?.field as Field
      if (field.patchMergeKey) diffObjects(patch, key, current, wanted, field)
      else diffScalars(patch, key, current, wanted)
    } else patch[key] = wanted
  }
  if (retainKeys) patch.$retainKeys = Object.keys(to)
  return patch
}

function diffScalars(patch: JsonObject, key: string, current: unknown[], wanted: unknown[]): void {
  const gone = current.filter((item) => !wanted.includes(item))
  const come = wanted.filter((item) => !current.includes(item))
  if (gone.length > 0) patch[`$deleteFromPrimitiveList/${key}`] = gone
  if (come.length > 0) patch[key] = come
  patch[`$setElementOrder/${key}`] = wanted
}

function diffObjects(patch: JsonObject, key: string, current: JsonObject[], wanted: JsonObject[], field: Field): void {
  const mergeKey = field.patchMergeKey as string
  const element = field.schema.kind === 'list' ? field.schema.element : undefined
  const sameKey = (one: JsonObject) => (other: JsonObject) => equalJson(one[mergeKey], other[mergeKey])
  const items: JsonObject[] = []
  for (const item of wanted) {
    const before = current.find(sameKey(item))
    if (before && equalJson(before, item)) continue
    const { [mergeKey]: name } = item
    items.push(before ? { ...strategicDiff(before, item, element, field.retainKeys), [mergeKey]: name } : item)
  }
  for (const item of current) {
    if (!wanted.some(sameKey(item))) items.push({ $patch: 'delete', [mergeKey]: item[mergeKey] })
  }
  if (items.length > 0) patch[key] = items
  patch[`$setElementOrder/${key}`] = wanted.map((item) => ({ [mergeKey]: item[mergeKey] }))
}
