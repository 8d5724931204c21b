/**
 * Gives every pod a service account, and its containers that account's token, the CA and the namespace as files. The volume
 * is the one Kubernetes adds: a projected volume `kube-api-access-…`.
 */
import type { KubeObject } from '../../api/object.ts'
import type { Container, Pod, PodSpec, ServiceAccount, Volume, VolumeMount, VolumeProjection } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import { generateName } from '../objects/names.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from './contract.ts'
import { isAbout, refused } from './refusal.ts'

export interface ServiceAccountOptions {
  reader: ObjectReader
  clock: Clock
  random: (bytes: number) => Buffer
  /** Put behind the usual sources of the token volume. */
  extraTokenSources?: readonly VolumeProjection[]
}

const DEFAULT_ACCOUNT = 'default'
const VOLUME_PREFIX = 'kube-api-access-'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const TOKEN_SECONDS = 3607
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'
/** A new namespace's default account is made by a controller: a pod that comes before it waits this long. */
const DEFAULT_ACCOUNT_WAIT_MS = 2000

export function serviceAccount(options: ServiceAccountOptions): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, '', 'pods'),
    mutate(request) {
      const pod = request.object as Pod | undefined
      if (!pod?.spec) return undefined
      if (pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return checkMirror(request, pod.spec)
      pod.spec.serviceAccountName ||= pod.spec.serviceAccount || DEFAULT_ACCOUNT
      pod.spec.serviceAccount = pod.spec.serviceAccountName
      const { spec } = pod
      const account = findAccount(options, request.namespace, pod.spec.serviceAccountName)
      if (account instanceof Promise) return account.then((found) => apply(request, spec, found, options))
      return apply(request, spec, account, options)
    },
  }
}

/** Mirror pods show what runs on a node by itself: they get nothing from the API, and may not ask for it. */
function checkMirror(request: AdmissionRequest, spec: PodSpec): undefined {
  if (spec.serviceAccountName) throw refused(request, 'a mirror pod may not reference service accounts')
  if (spec.volumes?.some((volume) => volume.secret)) throw refused(request, 'a mirror pod may not reference secrets')
  const projectsToken = spec.volumes?.some((volume) => volume.projected?.sources?.some((source) => source.serviceAccountToken))
  if (projectsToken) throw refused(request, 'a mirror pod may not use ServiceAccountToken volume projections')
  return undefined
}

function findAccount(
  { reader, clock }: ServiceAccountOptions,
  namespace: string,
  name: string,
): KubeObject | undefined | Promise<KubeObject | undefined> {
  const account = reader.get('', 'serviceaccounts', namespace, name)
  if (account || name !== DEFAULT_ACCOUNT) return account
  return new Promise((resolve) => {
    const finish = (found: KubeObject | undefined) => {
      stop()
      cancel()
      resolve(found)
    }
    const stop = reader.watch('', 'serviceaccounts', (object, change) => {
      if (change !== 'deleted' && object.metadata.namespace === namespace && object.metadata.name === name) finish(object)
    })
    const cancel = clock.after(DEFAULT_ACCOUNT_WAIT_MS, () => finish(undefined), { unref: true })
  })
}

function apply(request: AdmissionRequest, spec: PodSpec, found: KubeObject | undefined, options: ServiceAccountOptions): void {
  const account = found as ServiceAccount | undefined
  const name = spec.serviceAccountName ?? ''
  if (!account) {
    const where = `${request.namespace}/${name}`
    throw refused(request, `error looking up service account ${where}: serviceaccount ${JSON.stringify(name)} not found`)
  }
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, options)
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
    spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }))
  }
}

function mountToken(spec: PodSpec, options: ServiceAccountOptions): void {
  const present = spec.volumes?.find((volume) => volume.name.startsWith(VOLUME_PREFIX))
  const needy = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter((container) => !mountsAtPath(container))
  if (needy.length === 0) return
  const name = present?.name ?? generateName(VOLUME_PREFIX, options.random)
  for (const container of needy) {
    const mount: VolumeMount = { name, readOnly: true, mountPath: MOUNT_PATH }
    if (container.volumeMounts) container.volumeMounts.push(mount)
    else container.volumeMounts = [mount]
  }
  if (present) return
  const volume = tokenVolume(name, options.extraTokenSources ?? [])
  if (spec.volumes) spec.volumes.push(volume)
  else spec.volumes = [volume]
}

function mountsAtPath(container: Container): boolean {
  return container.volumeMounts?.some((mount) => mount.mountPath === MOUNT_PATH) ?? false
}

function tokenVolume(name: string, extra: readonly VolumeProjection[]): Volume {
  const sources: VolumeProjection[] = [
    { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ...extra.map((source) => structuredClone(source)),
  ]
  return { name, projected: { sources, defaultMode: 0o644 } }
}
