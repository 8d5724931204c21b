/** Field paths as they were written: admission makes annotations and references to them of those that Kubernetes does not have. */
import { keyOfReference, sourceTexts, VARIABLE_PREFIX, variableOf } from '../../api/downward/annotations.ts'
import type { KubeObject } from '../../api/object.ts'
import type { Container, PodTemplateSpec } from '../../api/types.ts'
import { templateAt, templatePathsOf } from '../pod-template.ts'

const VARIABLE = new RegExp(`\\$\\((${VARIABLE_PREFIX}[A-Za-z0-9_]+)\\)`, 'g')

/** Edits `result`, which is a part of `object`, in place. */
export function restoreFieldPaths(object: KubeObject, result: KubeObject): void {
  const group = object.apiVersion?.includes('/') ? object.apiVersion.split('/')[0]! : ''
  for (const path of templatePathsOf(object, group)) {
    const compiled = templateAt(object, path)
    const template = templateAt(result, path)
    if (!compiled?.spec || !template?.spec) continue
    const texts = sourceTexts(compiled.metadata?.annotations)
    const variables = variablesOf(compiled, texts)
    if (texts.size === 0 && variables.size === 0) continue
    restoreIn(template.spec, texts, variables)
    for (const container of [...(template.spec.initContainers ?? []), ...(template.spec.containers ?? [])])
      takeVariables(container, variables)
  }
}

/** What each generated variable was written as. */
function variablesOf({ spec }: PodTemplateSpec, texts: ReadonlyMap<string, string>): Map<string, string> {
  const variables = new Map<string, string>()
  for (const { env = [] } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    for (const { name = '', valueFrom } of env) {
      const fieldPath = valueFrom?.fieldRef?.fieldPath
      if (!name.startsWith(VARIABLE_PREFIX) || fieldPath === undefined) continue
      const text = texts.get(keyOfReference(fieldPath) ?? '') ?? `pod:${fieldPath}`
      if (variableOf({ text }) === name) variables.set(name, text)
    }
  }
  return variables
}

function restoreIn(value: unknown, texts: ReadonlyMap<string, string>, variables: ReadonlyMap<string, string>): void {
  if (typeof value !== 'object' || value === null) return
  const members = value as Record<string, unknown>
  for (const [name, member] of Object.entries(members)) {
    if (typeof member !== 'string') restoreIn(member, texts, variables)
    else if (name === 'fieldPath') members[name] = texts.get(keyOfReference(member) ?? '') ?? member
    else if (member.includes(VARIABLE_PREFIX))
      members[name] = member.replaceAll(VARIABLE, (whole, variable: string) =>
        variables.has(variable) ? `$(${variables.get(variable)})` : whole,
      )
  }
}

function takeVariables(container: Container, variables: ReadonlyMap<string, string>): void {
  const left = container.env?.filter(({ name }) => !variables.has(name ?? ''))
  if (left?.length === 0) delete container.env
  else if (left) container.env = left
}
