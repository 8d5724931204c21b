/** What a pod is made with: the objects that its spec names. Pure. */
import type { Container, PodSpec } from '../../api/types.ts'
import type { ResourceKey } from './world.ts'

export interface Use {
  readonly key: ResourceKey
  readonly name: string
  /** The pod starts without it. */
  readonly isOptional: boolean
}

/** Every pod has it, and its token volume, without asking. */
const DEFAULT_ACCOUNT = 'default'
const TOKEN_VOLUME = /^kube-api-access-/

/** Each once, by kind and then as they come. One that some pod needs is not optional. */
export function usesOf(specs: readonly PodSpec[]): Use[] {
  const found = new Map<string, Use>()
  for (const use of specs.flatMap(inSpec)) {
    const id = `${use.key}/${use.name}`
    const before = found.get(id)
    found.set(id, { ...use, isOptional: use.isOptional && (before?.isOptional ?? true) })
  }
  return ORDER.flatMap((key) => [...found.values()].filter((use) => use.key === key))
}

const CONFIG_MAPS = '/configmaps'
const SECRETS = '/secrets'
const CLAIMS = '/persistentvolumeclaims'
const ACCOUNTS = '/serviceaccounts'
const ORDER: readonly ResourceKey[] = [CONFIG_MAPS, SECRETS, CLAIMS, ACCOUNTS]

function use(key: ResourceKey, name: string | undefined, optional?: boolean): Use[] {
  return name ? [{ key, name, isOptional: optional === true }] : []
}

function inSpec(spec: PodSpec): Use[] {
  const account = spec.serviceAccountName
  return [
    ...[...(spec.initContainers ?? []), ...(spec.containers ?? [])].flatMap(inContainer),
    ...inVolumes(spec),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name }) => use(SECRETS, name, true)),
    ...(account === DEFAULT_ACCOUNT ? [] : use(ACCOUNTS, account)),
  ]
}

function inContainer({ env, envFrom }: Container): Use[] {
  return [
    ...(env ?? []).flatMap(({ valueFrom }) => [
      ...use(CONFIG_MAPS, valueFrom?.configMapKeyRef?.name, valueFrom?.configMapKeyRef?.optional),
      ...use(SECRETS, valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef?.optional),
    ]),
    ...(envFrom ?? []).flatMap(({ configMapRef, secretRef }) => [
      ...use(CONFIG_MAPS, configMapRef?.name, configMapRef?.optional),
      ...use(SECRETS, secretRef?.name, secretRef?.optional),
    ]),
  ]
}

function inVolumes({ volumes }: PodSpec): Use[] {
  return (volumes ?? [])
    .filter(({ name }) => !TOKEN_VOLUME.test(name))
    .flatMap(({ configMap, secret, persistentVolumeClaim, projected }) => [
      ...use(CONFIG_MAPS, configMap?.name, configMap?.optional),
      ...use(SECRETS, secret?.secretName, secret?.optional),
      ...use(CLAIMS, persistentVolumeClaim?.claimName),
      ...(projected?.sources ?? []).flatMap((source) => [
        ...use(CONFIG_MAPS, source.configMap?.name, source.configMap?.optional),
        ...use(SECRETS, source.secret?.name, source.secret?.optional),
      ]),
    ])
}
