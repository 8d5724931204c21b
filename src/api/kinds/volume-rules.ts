/** Rules for the volumes of a pod. PersistentVolumes have rules of their own. */
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, notSupported, required, tooLong } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../names.ts'
import { tryParseQuantity } from '../quantity.ts'
import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection } from '../types.ts'
import { checkClaimSpec } from './claim-rules.ts'
import { checkFileFieldReference, checkResourceReference } from './env-rules.ts'
import { checkDescendingPath, checkNoBacksteps } from './paths.ts'
import { checkTemplateMetadata, obey, oneOf, requireName, requireText } from './rules.ts'

/** In the order in which the second one is refused. */
const SOURCES = [
  ...['emptyDir', 'hostPath', 'gitRepo', 'gcePersistentDisk', 'awsElasticBlockStore', 'secret', 'nfs', 'iscsi', 'glusterfs'],
  ...['persistentVolumeClaim', 'rbd', 'cinder', 'cephfs', 'flocker', 'downwardAPI', 'fc', 'azureFile', 'configMap'],
  ...['vsphereVolume', 'quobyte', 'azureDisk', 'storageos', 'photonPersistentDisk', 'portworxVolume', 'scaleIO', 'projected'],
  ...['csi', 'ephemeral', 'image'],
] as const
const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']
const MIN_TOKEN_SECONDS = 600
const MAX_TOKEN_SECONDS = 2 ** 32

/** Gives the sound volumes by name: a mount of any other finds none. */
export function checkVolumes(volumes: Volume[] | undefined, path: string, errors: Errors): Map<string, Volume> {
  const sound = new Map<string, Volume>()
  for (let index = 0; index < (volumes?.length ?? 0); index++) {
    const volume = volumes?.[index] as Volume
    const at = `${path}[${index}]`
    const count = errors.length
    checkVolumeSource(volume, at, errors)
    requireName(volume.name, dnsLabel, `${at}.name`, errors)
    if (sound.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name))
    if (errors.length === count) sound.set(volume.name, volume)
  }
  return sound
}

function checkVolumeSource(volume: Volume, path: string, errors: Errors): void {
  let first: (typeof SOURCES)[number] | undefined
  for (const source of SOURCES) {
    if (volume[source] === undefined) continue
    if (first === undefined) first = source
    else errors.push(forbidden(`${path}.${source}`, 'may not specify more than 1 volume type'))
  }
  if (first === undefined) return void errors.push(required(path, 'must specify a volume type'))
  const check = CHECKS[first]
  if (check) check(volume, `${path}.${first}`, errors)
  else checkInTree(volume as unknown as Record<string, Record<string, unknown>>, first, `${path}.${first}`, errors)
}

type Check = (volume: Volume, path: string, errors: Errors) => void

/** What is checked of each source; the others are in-tree drivers of old. */
const CHECKS: Partial<Record<(typeof SOURCES)[number], Check>> = {
  emptyDir: ({ emptyDir }, path, errors) => {
    if (!isNegative(emptyDir?.sizeLimit)) return
    errors.push(forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
  },
  hostPath: ({ hostPath }, path, errors) => checkHostPath(hostPath, path, errors),
  secret: ({ secret }, path, errors) => {
    requireText(secret?.secretName, `${path}.secretName`, errors)
    checkFiles(secret?.defaultMode, secret?.items, path, errors)
  },
  configMap: ({ configMap }, path, errors) => {
    requireText(configMap?.name, `${path}.name`, errors)
    checkFiles(configMap?.defaultMode, configMap?.items, path, errors)
  },
  downwardAPI: ({ downwardAPI }, path, errors) => {
    checkMode(downwardAPI?.defaultMode, `${path}.defaultMode`, errors)
    checkDownwardItems(downwardAPI?.items, path, errors)
  },
  projected: ({ projected }, path, errors) => {
    checkMode(projected?.defaultMode, `${path}.defaultMode`, errors)
    checkProjections(projected?.sources, path, errors)
  },
  persistentVolumeClaim: (volume, path, errors) =>
    requireText(volume.persistentVolumeClaim?.claimName, `${path}.claimName`, errors),
  nfs: ({ nfs }, path, errors) => checkNfs(nfs, path, errors),
  csi: ({ csi }, path, errors) => {
    checkDriverName(csi?.driver, `${path}.driver`, errors)
    const secret = csi?.nodePublishSecretRef
    if (!secret) return
    if (!secret.name) errors.push(required(`${path}.nodePublishSecretRef.name`))
    else obey(secret.name, dnsSubdomain, `${path}.name`, errors)
  },
  ephemeral: checkEphemeral,
  image: ({ image }, path, errors) => {
    requireText(image?.reference, `${path}.reference`, errors)
    oneOf(image?.pullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.pullPolicy`, errors)
  },
}

const MAX_DRIVER_NAME = 63

/** The name of a CSI driver. An empty one is missing and malformed. */
export function checkDriverName(name = '', path: string, errors: Errors): void {
  if (name === '') errors.push(required(path))
  if (name.length > MAX_DRIVER_NAME) errors.push(tooLong(path, MAX_DRIVER_NAME))
  for (const complaint of dnsSubdomain(name.toLowerCase())) errors.push(invalid(path, name, complaint))
}

/** The fields that the in-tree drivers of old need; the rest of them is not checked. */
const NEEDED: Record<string, readonly string[]> = {
  gitRepo: ['repository'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  iscsi: ['targetPortal', 'iqn'],
  glusterfs: ['endpoints', 'path'],
  rbd: ['monitors', 'image'],
  cinder: ['volumeID'],
  cephfs: ['monitors'],
  azureFile: ['secretName', 'shareName'],
  azureDisk: ['diskName', 'diskURI'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  scaleIO: ['gateway', 'system', 'volumeName'],
}

export function checkInTree(holder: Record<string, Record<string, unknown>>, source: string, path: string, errors: Errors): void {
  for (const field of NEEDED[source] ?? []) {
    const value = holder[source]?.[field]
    if (!value || (Array.isArray(value) && value.length === 0)) errors.push(required(`${path}.${field}`))
  }
}

export function checkHostPath(
  source: { path: string; type?: string | undefined } | undefined,
  path: string,
  errors: Errors,
  within = '',
): void {
  if (!source?.path) errors.push(required(`${path}.path`))
  else checkNoBacksteps(source.path, `${path}.path`, errors)
  if (source?.type !== undefined && !HOST_PATH_TYPES.includes(source.type)) {
    errors.push(notSupported(`${path}.type`, source.type, HOST_PATH_TYPES))
  }
  if (within !== '' && source?.path === within) errors.push(forbidden(path, `may not be '${within}'`))
}

export function checkNfs(source: { server?: string; path?: string } | undefined, path: string, errors: Errors): void {
  requireText(source?.server, `${path}.server`, errors)
  if (!source?.path) errors.push(required(`${path}.path`))
  else if (!source.path.startsWith('/')) errors.push(invalid(`${path}.path`, source.path, 'must be an absolute path'))
}

function isNegative(quantity: string | undefined): boolean {
  return quantity !== undefined && (tryParseQuantity(quantity)?.nano ?? 0n) < 0n
}

function checkMode(mode: number | undefined, path: string, errors: Errors): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    errors.push(invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'))
  }
}

function checkFiles(mode: number | undefined, items: KeyToPath[] | undefined, path: string, errors: Errors): void {
  checkMode(mode, `${path}.defaultMode`, errors)
  checkItems(items, path, errors)
}

function checkItems(items: KeyToPath[] | undefined, path: string, errors: Errors): void {
  items?.forEach((item, index) => {
    const at = `${path}.items[${index}]`
    requireText(item.key, `${at}.key`, errors)
    checkFilePath(item.path, `${at}.path`, errors)
    checkMode(item.mode, `${at}.mode`, errors)
  })
}

function checkFilePath(value: string | undefined, path: string, errors: Errors): void {
  if (!value) return void errors.push(required(path))
  checkDescendingPath(value, path, errors)
  if (value.startsWith('..') && !value.startsWith('../')) errors.push(invalid(path, value, "must not start with '..'"))
}

function checkDownwardItems(items: DownwardAPIVolumeFile[] | undefined, path: string, errors: Errors): void {
  items?.forEach((item, index) => {
    const at = `${path}.items[${index}]`
    checkFilePath(item.path, `${at}.path`, errors)
    checkMode(item.mode, `${at}.mode`, errors)
    if (item.fieldRef) {
      checkFileFieldReference(item.fieldRef, `${at}.fieldRef`, errors)
      if (item.resourceFieldRef)
        errors.push(invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    } else if (item.resourceFieldRef) checkResourceReference(item.resourceFieldRef, true, `${at}.resourceFieldRef`, errors)
    else errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'))
  })
}

const PROJECTIONS = ['secret', 'downwardAPI', 'configMap', 'serviceAccountToken', 'clusterTrustBundle', 'podCertificate'] as const

function checkProjections(sources: VolumeProjection[] | undefined, path: string, errors: Errors): void {
  const paths = new Set<string>()
  sources?.forEach((source, index) => {
    const at = `${path}.sources[${index}]`
    const given = PROJECTIONS.filter((name) => source[name] !== undefined)
    if (given.length > 1) errors.push(forbidden(at, 'may not specify more than 1 volume type per source'))
    checkProjection(source, path, at, errors)
    for (const file of pathsOf(source)) {
      if (file && paths.has(file)) errors.push(invalid(path, file, 'conflicting duplicate paths'))
      paths.add(file)
    }
  })
}

function checkProjection(source: VolumeProjection, path: string, at: string, errors: Errors): void {
  const { secret, configMap, downwardAPI, serviceAccountToken: token, clusterTrustBundle: bundle } = source
  if (secret) {
    requireText(secret.name, `${at}.secret.name`, errors)
    checkItems(secret.items, `${at}.secret`, errors)
  }
  if (configMap) {
    requireText(configMap.name, `${at}.configMap.name`, errors)
    checkItems(configMap.items, `${at}.configMap`, errors)
  }
  if (downwardAPI) checkDownwardItems(downwardAPI.items, `${at}.downwardAPI`, errors)
  if (token) {
    const seconds = token.expirationSeconds ?? 0
    const field = `${at}.serviceAccountToken.expirationSeconds`
    if (seconds < MIN_TOKEN_SECONDS) errors.push(invalid(field, seconds, 'may not specify a duration less than 10 minutes'))
    if (seconds > MAX_TOKEN_SECONDS) errors.push(invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds'))
    // The volume is blamed, not its source.
    checkFilePath(token.path, `${path}.path`, errors)
  }
  if (bundle) checkFilePath(bundle.path, `${at}.clusterTrustBundle.path`, errors)
}

function pathsOf(source: VolumeProjection): string[] {
  const items = [source.secret, source.configMap, source.downwardAPI].flatMap((part) => part?.items ?? [])
  const own = [source.serviceAccountToken?.path, source.clusterTrustBundle?.path].filter((file) => file !== undefined)
  return [...items.map((item) => item.path), ...own]
}

function checkEphemeral(volume: Volume, path: string, errors: Errors): void {
  const template = volume.ephemeral?.volumeClaimTemplate
  if (!template) return void errors.push(required(`${path}.volumeClaimTemplate`))
  const at = `${path}.volumeClaimTemplate`
  checkTemplateMetadata(template.metadata, `${at}.metadata`, errors)
  for (const [field, value] of Object.entries(template.metadata ?? {})) {
    const given = field !== 'labels' && field !== 'annotations' && value !== undefined && value !== null
    if (given) errors.push(forbidden(`${at}.metadata.${field}`, 'cannot be set'))
  }
  checkClaimSpec(template.spec, `${at}.spec`, errors)
}
