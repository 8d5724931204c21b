/** What a pod refers to and cannot do without: Services by their variables, config maps, secrets and claims. Pure. */
import type { Container, PodSpec } from '../types.ts'
import type { Requirement } from './requirement.ts'

const SERVICE_VARIABLE = /\$\(([A-Z][A-Z0-9_]*?)_SERVICE_(?:HOST|PORT)(?:_[A-Z0-9_]+)?\)/g
/** The API server's own; every pod has it. */
const ALWAYS_THERE = 'kubernetes'

/** `fieldPaths`: the texts of extended field references, as they were written. Each object is named once. */
export function inferRequirements(spec: PodSpec | undefined, fieldPaths: Iterable<string> = []): Requirement[] {
  const found = new Set<string>()
  for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    for (const name of servicesIn(container)) found.add(`service/${name}`)
    for (const each of sourcesOf(container)) found.add(each)
  }
  for (const path of fieldPaths) {
    const [, name] = /^service\/([^:]+):/.exec(path) ?? []
    if (name !== undefined) found.add(`service/${name}`)
  }
  for (const each of volumesOf(spec)) found.add(each)
  return [...found].sort().map(inferredOf)
}

function inferredOf(text: string): Requirement {
  const [kind = '', name = ''] = text.split('/')
  // A claim may be bound only when a pod that uses it is placed: waiting for that would be waiting for oneself.
  const exists = kind === 'persistentvolumeclaim' && { condition: 'Exists' }
  return { text, target: { type: 'object', kind, name }, ...exists, inferred: true }
}

function servicesIn({ command, args, env }: Container): string[] {
  const texts = [...(command ?? []), ...(args ?? []), ...(env ?? []).map(({ value }) => value ?? '')]
  return texts
    .flatMap((text) => [...text.matchAll(SERVICE_VARIABLE)].map(([, name = '']) => name.toLowerCase().replaceAll('_', '-')))
    .filter((name) => name !== ALWAYS_THERE)
}

function sourcesOf({ env, envFrom }: Container): string[] {
  const found: string[] = []
  for (const { valueFrom } of env ?? []) {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {}
    if (configMapKeyRef?.name && !configMapKeyRef.optional) found.push(`configmap/${configMapKeyRef.name}`)
    if (secretKeyRef?.name && !secretKeyRef.optional) found.push(`secret/${secretKeyRef.name}`)
  }
  for (const { configMapRef, secretRef } of envFrom ?? []) {
    if (configMapRef?.name && !configMapRef.optional) found.push(`configmap/${configMapRef.name}`)
    if (secretRef?.name && !secretRef.optional) found.push(`secret/${secretRef.name}`)
  }
  return found
}

/** The volume that every pod has for its token is the server's own doing. */
const isTokenVolume = (name: string) => name.startsWith('kube-api-access-')

function volumesOf(spec: PodSpec | undefined): string[] {
  const found: string[] = []
  for (const { name, configMap, secret, persistentVolumeClaim, projected } of spec?.volumes ?? []) {
    if (isTokenVolume(name)) continue
    if (configMap?.name && !configMap.optional) found.push(`configmap/${configMap.name}`)
    if (secret?.secretName && !secret.optional) found.push(`secret/${secret.secretName}`)
    if (persistentVolumeClaim) found.push(`persistentvolumeclaim/${persistentVolumeClaim.claimName}`)
    for (const source of projected?.sources ?? []) {
      if (source.configMap?.name && !source.configMap.optional) found.push(`configmap/${source.configMap.name}`)
      if (source.secret?.name && !source.secret.optional) found.push(`secret/${source.secret.name}`)
    }
  }
  return found
}
