/** Whether the expressions that select devices compile, and are cheap enough: what is wrong with them, in Kubernetes' words. */
import { type Errors, forbidden, invalid } from '../field-errors.ts'
import type { DeviceSelector } from '../types.ts'
import { environmentOf } from './admission-types.ts'
import { CompileError } from './ast.ts'
import { compileProgram } from './program.ts'
import { BOOL, DYN, mapOf, showType, type Type } from './types.ts'

const MAX_COST = 1_000_000
/** Longer ones have been refused. */
const MAX_LENGTH = 10 * 1024
const QUANTITY: Type = { kind: 'opaque', name: 'kubernetes.Quantity' }

/** How many attributes and capacities a device can have, and how long their names are: for the estimate of costs. */
const MAX_PARTS = 32
const MAX_DOMAIN = 63
const MAX_IDENTIFIER = 32
const domain: Type = { kind: 'string', max: MAX_DOMAIN }
const identifier: Type = { kind: 'string', max: MAX_IDENTIFIER }

const DEVICE: Type = {
  kind: 'object',
  name: 'kubernetes.DRADevice',
  fields: new Map<string, Type>([
    ['driver', domain],
    ['attributes', mapOf(domain, mapOf(identifier, DYN, MAX_PARTS), MAX_PARTS)],
    ['capacity', mapOf(domain, mapOf(identifier, QUANTITY, MAX_PARTS), MAX_PARTS)],
    ['allowMultipleAllocations', BOOL],
  ]),
}

export function checkDeviceExpressions(selectors: readonly DeviceSelector[] | undefined, path: string, errors: Errors): void {
  selectors?.forEach(({ cel }, index) => {
    if (cel && (cel.expression ?? '').length <= MAX_LENGTH) {
      checkExpression(cel.expression ?? '', `${path}[${index}].cel.expression`, errors)
    }
  })
}

function checkExpression(expression: string, path: string, errors: Errors): void {
  try {
    const { type, cost } = compileProgram(expression, environmentOf(new Map([['device', DEVICE]])))
    if (type.kind !== 'bool' && type.kind !== 'dyn') {
      errors.push(invalid(path, expression, `must evaluate to bool or the unknown type, not ${showType(type)}`))
    } else if (cost > MAX_COST) errors.push(forbidden(path, 'too complex, exceeds cost limit'))
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    errors.push(invalid(path, expression, `compilation failed: ${error.message}`))
  }
}
