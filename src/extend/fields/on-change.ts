/**
 * `skiff.dev/on-change.VAR: restart | signal:SIGHUP | ignore` on a pod: what happens to the containers with that variable when its
 * source has moved on. Read and checked here; `follow.ts` acts. Pure.
 */
import { keyOfReference, VARIABLE_PREFIX } from '../../api/downward/annotations.ts'
import { MAX_REQUESTED_NAME } from '../../api/downward/container-requests.ts'
import { invalid } from '../../api/field-errors.ts'
import type { FieldError } from '../../api/status.ts'
import type { Container, PodSpec } from '../../api/types.ts'

export const ON_CHANGE_PREFIX = 'skiff.dev/on-change.'

type ChangeAction = { do: 'restart' } | { do: 'signal'; signal: string }

/** One variable of one container that asks for something. */
export interface Watched {
  readonly container: string
  readonly variable: string
  readonly keys: readonly string[]
  readonly action: ChangeAction
}

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH']
const GENERATED = new RegExp(`\\$\\((${VARIABLE_PREFIX}[A-Za-z0-9_]+)\\)`, 'g')

/** Only containers that stay: what an init container saw is over. */
export function watchedVariables(
  spec: PodSpec | undefined,
  annotations: Readonly<Record<string, string>> | undefined,
): Watched[] {
  const watched: Watched[] = []
  for (const name in annotations) {
    if (!name.startsWith(ON_CHANGE_PREFIX)) continue
    const action = readAction(annotations[name]!)
    if (typeof action === 'string') continue
    const variable = name.slice(ON_CHANGE_PREFIX.length)
    for (const container of staying(spec)) {
      const keys = keysOfVariable(container, variable)
      if (keys.length > 0) watched.push({ container: container.name, variable, keys, action })
    }
  }
  return watched
}

/** Errors of the annotations, at `at` of the object. */
export function checkOnChange(
  spec: PodSpec | undefined,
  annotations: Readonly<Record<string, string>> | undefined,
  at: string,
): FieldError[] {
  const errors: FieldError[] = []
  for (const name in annotations) {
    if (!name.startsWith(ON_CHANGE_PREFIX)) continue
    const path = `${at ? `${at}.` : ''}metadata.annotations[${name}]`
    const value = annotations[name]!
    if (readAction(value) === 'unknown') {
      errors.push(invalid(path, value, `must be restart, ignore, or signal: and one of ${SIGNALS.join(', ')}`))
    }
    const variable = name.slice(ON_CHANGE_PREFIX.length)
    const containers = staying(spec).filter((container) => keysOfVariable(container, variable).length > 0)
    if (containers.length === 0) {
      errors.push(invalid(path, value, `no container has a variable ${variable} with a field path that skiff fills in`))
    } else if (containers.some((container) => container.name.length > MAX_REQUESTED_NAME)) {
      errors.push(
        invalid(path, value, `the name of a container that acts on changes has at most ${MAX_REQUESTED_NAME} characters`),
      )
    }
  }
  return errors
}

function readAction(text: string): ChangeAction | 'ignore' | 'unknown' {
  if (text === 'ignore') return text
  if (text === 'restart') return { do: 'restart' }
  const signal = text.startsWith('signal:') ? text.slice('signal:'.length) : ''
  return SIGNALS.includes(signal) ? { do: 'signal', signal } : 'unknown'
}

function staying(spec: PodSpec | undefined): Container[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...sidecars, ...(spec?.containers ?? [])]
}

/** The keys that a variable's value is made of, by reference or by substitution. */
function keysOfVariable({ env = [] }: Pick<Container, 'env'>, name: string): string[] {
  const variable = env.find((one) => one.name === name)
  if (!variable) return []
  const direct = keyOfReference(variable.valueFrom?.fieldRef?.fieldPath ?? '')
  if (direct !== undefined) return [direct]
  return [...(variable.value ?? '').matchAll(GENERATED)].flatMap(([, generated]) =>
    generated === name ? [] : keysOfVariable({ env }, generated ?? ''),
  )
}
