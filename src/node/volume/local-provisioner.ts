/**
 * Makes volumes for claims whose class asks for it: a directory of this host each, for the node that the first pod was given. They go
 * with their claim, when the class says so, and their files with them.
 */
import { chmod, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isAlreadyExists, isNotFound } from '../../api/status.ts'
import { classNameOf, PROVISIONED_BY, PROVISIONER, SELECTED_NODE, waitsForConsumer } from '../../api/storage/claims.ts'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/types.ts'
import type { Client } from '../../client/client.ts'
import { nodes, persistentVolumeClaims, persistentVolumes, storageClasses } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { removeFiles } from './remove-files.ts'

const LOCAL_PROVISIONER = 'skiff.dev/local-path'
/** Holds a volume until its files are gone, as provisioners outside Kubernetes do. */
const FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer'
const HOSTNAME = 'kubernetes.io/hostname'
const CLAIM = 'claim '
const VOLUME = 'volume '

export interface LocalProvisionerOptions {
  /** Where the volumes lie. */
  directory: string
  /** The nodes that have them. */
  nodeNames: readonly string[]
  /** False where pods only have a lifecycle: no directories are made. */
  writesFiles: boolean
}

/** The class that claims get which ask for none, unless the cluster has it already. */
export async function createStandardClass(client: Client): Promise<void> {
  const standard: StorageClass = {
    ...{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: LOCAL_PROVISIONER },
    metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    ...{ reclaimPolicy: 'Delete', volumeBindingMode: 'WaitForFirstConsumer' },
  }
  try {
    await client.create(storageClasses, standard)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

export function localProvisioner(options: LocalProvisionerOptions): Reconciler {
  return {
    name: LOCAL_PROVISIONER,
    setup(context, enqueue) {
      context.informer(persistentVolumeClaims).subscribe(({ key, object }) => {
        if (object?.metadata.annotations?.[PROVISIONER] === LOCAL_PROVISIONER && !object.spec?.volumeName) enqueue(CLAIM + key)
      })
      context.informer(persistentVolumes).subscribe(({ key, object }) => {
        if (object?.metadata.annotations?.[PROVISIONED_BY] === LOCAL_PROVISIONER) enqueue(VOLUME + key)
      })
      context.informer(storageClasses)
      context.informer(nodes)
    },
    async reconcile(key, context) {
      if (key.startsWith(CLAIM)) await provision(key.slice(CLAIM.length), options, context)
      else await reclaim(key.slice(VOLUME.length), options, context)
    },
  }
}

async function provision(key: string, options: LocalProvisionerOptions, context: ReconcileContext): Promise<void> {
  const claim = context.informer(persistentVolumeClaims).store.get(key)
  if (!claim || claim.spec?.volumeName || claim.metadata.deletionTimestamp) return
  const storageClass = context.informer(storageClasses).store.get(classNameOf(claim))
  const nodeName = nodeFor(claim, storageClass, options)
  const node = context.informer(nodes).store.get(nodeName ?? '')
  if (!storageClass || !node) return
  const about = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim }
  const volume = volumeFor(claim, storageClass, node.metadata.labels?.[HOSTNAME] ?? '', options)
  if (context.informer(persistentVolumes).store.get(volume.metadata.name ?? '')) return
  try {
    refuse(claim, storageClass)
    if (options.writesFiles) {
      // Whoever the containers run as may write there.
      const path = volume.spec?.hostPath?.path ?? ''
      await mkdir(path, { recursive: true })
      await chmod(path, 0o777)
    }
    await context.client.create(persistentVolumes, volume)
  } catch (error) {
    if (isAlreadyExists(error)) return
    const message = `failed to provision volume with StorageClass ${JSON.stringify(classNameOf(claim))}: ${(error as Error).message}`
    context.event(about, { type: 'Warning', reason: 'ProvisioningFailed', message })
    // What the claim asks for does not change, so there is no use in another try.
    if (error instanceof UnsupportedClaim) return
    throw error
  }
  const message = `Successfully provisioned volume ${volume.metadata.name}`
  context.event(about, { type: 'Normal', reason: 'ProvisioningSucceeded', message })
}

/** Undefined: somebody else's, or not known yet. */
function nodeFor(
  { metadata }: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  { nodeNames }: LocalProvisionerOptions,
): string | undefined {
  const selected = metadata.annotations?.[SELECTED_NODE]
  if (selected !== undefined) return nodeNames.find((name) => name === selected)
  return waitsForConsumer(storageClass) ? undefined : nodeNames[0]
}

class UnsupportedClaim extends Error {
  override name = 'UnsupportedClaim'
}

function refuse({ spec }: PersistentVolumeClaim, { mountOptions, parameters }: StorageClass): void {
  if (spec?.volumeMode === 'Block') throw new UnsupportedClaim('volumeMode Block is not supported by local directories')
  if (spec?.selector) throw new UnsupportedClaim('a claim with a selector is not provisioned')
  if (spec?.dataSource || spec?.dataSourceRef) throw new UnsupportedClaim('a dataSource is not supported by local directories')
  if (mountOptions?.length) throw new UnsupportedClaim('mountOptions are not supported by local directories')
  const [parameter] = Object.keys(parameters ?? {})
  if (parameter !== undefined)
    throw new UnsupportedClaim(`the class has the parameter ${JSON.stringify(parameter)}: there is none`)
}

function volumeFor(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
  hostname: string,
  { directory }: LocalProvisionerOptions,
): PersistentVolume {
  const { namespace, name: claimName = '', uid, resourceVersion } = claim.metadata
  const name = `pvc-${uid}`
  const matchExpressions = [{ key: HOSTNAME, operator: 'In', values: [hostname] }]
  return {
    ...{ apiVersion: 'v1', kind: 'PersistentVolume' },
    metadata: { name, annotations: { [PROVISIONED_BY]: LOCAL_PROVISIONER }, finalizers: [FINALIZER] },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.storage ?? '0' },
      accessModes: claim.spec?.accessModes,
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: classNameOf(claim),
      volumeMode: 'Filesystem',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claimName, uid, resourceVersion },
      hostPath: { path: join(directory, `${name}_${namespace}_${claimName}`), type: 'DirectoryOrCreate' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
    },
  }
}

/** Of a volume whose claim is gone, the files go first, then the object. What is to be retained is left to whoever deletes it. */
async function reclaim(name: string, options: LocalProvisionerOptions, context: ReconcileContext): Promise<void> {
  const volume = context.informer(persistentVolumes).store.get(name)
  if (volume?.metadata.annotations?.[PROVISIONED_BY] !== LOCAL_PROVISIONER) return
  const { deletionTimestamp, finalizers = [], resourceVersion } = volume.metadata
  const isDelete = volume.spec?.persistentVolumeReclaimPolicy === 'Delete'
  const isLeft = volume.status?.phase === 'Released' || volume.status?.phase === 'Failed'
  if (isDelete && (isLeft || (deletionTimestamp && volume.status?.phase !== 'Bound')))
    await removeVolume(volume, options, context)
  if (isDelete && isLeft && !deletionTimestamp) await context.client.delete(persistentVolumes, name).catch(ignoreGone)
  if (!deletionTimestamp || volume.status?.phase === 'Bound' || !finalizers.includes(FINALIZER)) return
  const body = { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== FINALIZER) } }
  await context.client.patch(persistentVolumes, name, 'merge', body).catch(ignoreGone)
}

async function removeVolume(
  volume: PersistentVolume,
  options: LocalProvisionerOptions,
  { event }: ReconcileContext,
): Promise<void> {
  const path = volume.spec?.hostPath?.path ?? ''
  if (!options.writesFiles) return
  try {
    // Whatever an object says, nothing is removed but what lies there.
    if (dirname(path) !== options.directory) throw new Error(`${path} is no volume of ${options.directory}`)
    await removeFiles(path)
  } catch (error) {
    const message = (error as Error).message
    event({ apiVersion: 'v1', kind: 'PersistentVolume', ...volume }, { type: 'Warning', reason: 'VolumeFailedDelete', message })
    throw error
  }
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error)) throw error
}
