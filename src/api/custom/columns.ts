/** The columns of a custom resource's Table, from `additionalPrinterColumns`. */
import type { Column } from '../definition.ts'
import { humanDuration } from '../human-duration.ts'
import { evaluateSteps, type Step } from '../json-path.ts'
import { PathError, parsePath } from '../json-path-text.ts'
import type { KubeObject } from '../object.ts'
import type { CustomResourceColumnDefinition } from '../types.ts'

const AGE: CustomResourceColumnDefinition = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations.',
}

/** Without columns of its own, a resource shows how old its objects are. */
export function customColumns(columns: readonly CustomResourceColumnDefinition[] | undefined): Column[] {
  return (columns?.length ? columns : [AGE]).map(columnOf)
}

function columnOf({ name, type, format, description, priority, jsonPath }: CustomResourceColumnDefinition): Column {
  const steps = stepsOf(jsonPath)
  return {
    name,
    type: type as Column['type'],
    ...(format && { format }),
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority: priority ?? 0,
    cell: (object, { now }) => cellOf(type, firstAt(steps, object), now),
  }
}

/** Undefined for a path that is not understood: its cells are empty, and the others are shown. */
function stepsOf(path: string): Step[] | undefined {
  try {
    return parsePath(path)
  } catch (error) {
    if (error instanceof PathError) return undefined
    throw error
  }
}

function firstAt(steps: Step[] | undefined, object: KubeObject): unknown {
  return steps ? evaluateSteps(steps, object)[0] : undefined
}

/** Null where there is nothing of the column's type. */
function cellOf(type: string, value: unknown, now: number): string | number | boolean | null {
  if (value === undefined || (value === null && type !== 'string')) return null
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? age(value, now) : null
    default:
      return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '')
  }
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

function age(time: string, now: number): string {
  const then = RFC3339.test(time) ? Date.parse(time) : Number.NaN
  return Number.isNaN(then) ? '<invalid>' : humanDuration(now - then)
}
