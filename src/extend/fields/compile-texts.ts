/**
 * `$(pod:…)`, `$(node:…)`, `$(service/x:…)` in command, args and env values: each becomes `$(SKIFF_FIELD_…)` and a generated
 * variable, which stands before the container's own so that they can use it. A generated variable that nothing names any more goes.
 */
import { VARIABLE_PREFIX, variableOf } from '../../api/downward/annotations.ts'
import { parseEnclosedSource } from '../../api/downward/parse.ts'
import { FieldPathError } from '../../api/downward/source.ts'
import { invalid } from '../../api/field-errors.ts'
import type { Container, EnvVar, PodSpec } from '../../api/types.ts'
import type { Compilation } from './compile.ts'
import { SUBSTITUTION } from './mentions.ts'

export function compileTexts(spec: PodSpec, at: string, compilation: Compilation): void {
  for (const list of ['initContainers', 'containers'] as const) {
    spec[list]?.forEach((container, index) => {
      compileContainer(container, `${at}.${list}[${index}]`, compilation)
    })
  }
}

function compileContainer(container: Container, at: string, compilation: Compilation): void {
  const env = container.env ?? []
  const known = new Map<string, EnvVar>()
  for (const [index, variable] of env.entries()) {
    if (!variable.name?.startsWith(VARIABLE_PREFIX)) continue
    if (variable.valueFrom?.fieldRef) known.set(variable.name, variable)
    else {
      const why = `names that begin with ${VARIABLE_PREFIX} are for generated variables`
      compilation.errors.push(invalid(`${at}.env[${index}].name`, variable.name, why))
    }
  }
  /** In the order of their first use. */
  const used = new Map<string, EnvVar>()
  const texts = { known, used, compilation }
  const own = env.filter(({ name }) => !known.has(name))
  for (const [index, variable] of env.entries()) {
    if (variable.value) variable.value = compileText(variable.value, `${at}.env[${index}].value`, texts)
  }
  for (const list of ['command', 'args'] as const) {
    const given = container[list]
    if (given) container[list] = given.map((text, index) => compileText(text, `${at}.${list}[${index}]`, texts))
  }
  if (used.size > 0 || known.size > 0) container.env = [...used.values(), ...own]
}

interface Texts {
  /** Generated variables of an earlier time. */
  known: ReadonlyMap<string, EnvVar>
  used: Map<string, EnvVar>
  compilation: Compilation
}

/** `$$` stays what it is: the node makes a `$` of it, and no reference. */
function compileText(text: string, at: string, texts: Texts): string {
  if (!text.includes('$(')) return text
  let result = ''
  let done = 0
  for (let dollar = text.indexOf('$'); dollar >= 0; dollar = text.indexOf('$', done)) {
    result += text.slice(done, dollar)
    const { value, end } = compileReference(text, dollar, at, texts)
    result += value
    done = end
  }
  return result + text.slice(done)
}

function compileReference(text: string, dollar: number, at: string, texts: Texts): { value: string; end: number } {
  if (text[dollar + 1] !== '(') return { value: text.slice(dollar, dollar + 2), end: Math.min(dollar + 2, text.length) }
  const close = text.indexOf(')', dollar)
  const asItIs = { value: '$(', end: dollar + 2 }
  const name = close < 0 ? '' : text.slice(dollar + 2, close)
  const before = texts.known.get(name)
  if (before) {
    texts.used.set(name, before)
    return { value: text.slice(dollar, close + 1), end: close + 1 }
  }
  if (text.slice(dollar).search(SUBSTITUTION) !== 0) return asItIs
  try {
    const { source, end } = parseEnclosedSource(text, dollar + 2)
    const fieldPath = texts.compilation.referTo(source, 'env', at, source.text)
    const variable = variableOf(source)
    if (fieldPath) texts.used.set(variable, { name: variable, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } })
    return { value: `$(${variable})`, end: end + 1 }
  } catch (error) {
    if (!(error instanceof FieldPathError)) throw error
    texts.compilation.errors.push(invalid(at, text, `in the path after $(, ${error.message}`))
    return asItIs
  }
}
