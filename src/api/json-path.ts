/**
 * What a JSONPath is made of, and what it leads to in a value. Who reads the text decides which steps there may be; missing
 * fields yield nothing.
 */
export type Step =
  | { step: 'field'; name: string }
  | { step: 'descend' }
  | { step: 'every' }
  | { step: 'indexes'; indexes: number[] }
  | { step: 'names'; names: string[] }
  | { step: 'slice'; from: number | undefined; to: number | undefined; by: number }
  | FilterStep

export interface FilterStep {
  step: 'filter'
  left: Step[]
  operator: string | undefined
  right: Step[] | { value: unknown } | undefined
}

/** Every value that the steps lead to. */
export function evaluateSteps(steps: readonly Step[], value: unknown): unknown[] {
  let values = [value]
  for (const step of steps) values = values.flatMap((one) => take(step, one))
  return values
}

function take(step: Step, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const members: unknown[] = Array.isArray(value) ? value : Object.values(value)
  switch (step.step) {
    case 'field':
      return fieldOf(value, step.name)
    case 'names':
      return step.names.flatMap((name) => fieldOf(value, name))
    case 'every':
      return members
    case 'descend':
      return [value, ...members.flatMap((member) => take(step, member))]
    case 'indexes':
      return Array.isArray(value) ? step.indexes.map((index) => value.at(index)).filter((item) => item !== undefined) : []
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to).filter((_, index) => index % step.by === 0) : []
    case 'filter':
      return members.filter((member) => holds(step, member))
  }
}

function fieldOf(value: object, name: string): unknown[] {
  if (Array.isArray(value) || !Object.hasOwn(value, name)) return []
  const found = (value as Record<string, unknown>)[name]
  return found === undefined ? [] : [found]
}

function holds({ left, operator, right }: FilterStep, member: unknown): boolean {
  const [a] = evaluateSteps(left, member)
  if (!operator || !right) return a !== undefined
  const b = Array.isArray(right) ? evaluateSteps(right, member)[0] : right.value
  if (a === undefined || b === undefined) return false
  switch (operator) {
    case '==':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return (a as number) < (b as number)
    case '<=':
      return (a as number) <= (b as number)
    case '>':
      return (a as number) > (b as number)
    default:
      return (a as number) >= (b as number)
  }
}
