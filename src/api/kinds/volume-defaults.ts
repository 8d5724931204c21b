/** What a volume leaves open, in pods, templates and PersistentVolumes. */
import type { DownwardAPIVolumeFile, PersistentVolumeClaimTemplate, Volume, VolumeProjection } from '../types.ts'
import { pullsAlways } from './image-name.ts'

/** The permissions of files that say none: 0644. */
const FILE_MODE = 0o644

/** Where the tokens of a projection say no lifetime: an hour. */
const TOKEN_SECONDS = 3600

/** A volume of a pod; one without a source is an empty directory. */
export function defaultVolume(volume: Volume): void {
  if (volume.emptyDir) return
  if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE
  else if (volume.secret) volume.secret.defaultMode ??= FILE_MODE
  else if (volume.projected) {
    volume.projected.defaultMode ??= FILE_MODE
    for (const source of volume.projected.sources ?? []) defaultProjection(source)
  } else if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE
    defaultItems(volume.downwardAPI.items)
  } else if (volume.hostPath) volume.hostPath.type ??= ''
  else if (volume.ephemeral?.volumeClaimTemplate) defaultClaimTemplate(volume.ephemeral.volumeClaimTemplate)
  else if (volume.image) volume.image.pullPolicy ||= pullsAlways(volume.image.reference ?? '') ? 'Always' : 'IfNotPresent'
  else if (!defaultOldSource(volume) && hasNoSource(volume)) volume.emptyDir = {}
}

function hasNoSource(volume: Volume): boolean {
  for (const key in volume) if (key !== 'name' && volume[key as keyof Volume] !== undefined) return false
  return true
}

function defaultProjection(source: VolumeProjection): void {
  defaultItems(source.downwardAPI?.items)
  if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= TOKEN_SECONDS
}

function defaultItems(items: DownwardAPIVolumeFile[] | undefined): void {
  for (const item of items ?? []) if (item.fieldRef) item.fieldRef.apiVersion ||= 'v1'
}

function defaultClaimTemplate(template: PersistentVolumeClaimTemplate): void {
  template.metadata ??= {}
  template.spec ??= {}
  template.spec.volumeMode ??= 'Filesystem'
}

/** The fields that in-tree drivers of old fill in, for pods and PersistentVolumes alike. Whether it was one of them. */
export function defaultOldSource(source: OldSources): boolean {
  if (source.iscsi) source.iscsi.iscsiInterface ||= 'default'
  else if (source.rbd) {
    source.rbd.pool ||= 'rbd'
    source.rbd.user ||= 'admin'
    source.rbd.keyring ||= '/etc/ceph/keyring'
  } else if (source.scaleIO) {
    source.scaleIO.storageMode ||= 'ThinProvisioned'
    source.scaleIO.fsType ||= 'xfs'
  } else if (source.azureDisk) {
    source.azureDisk.cachingMode ??= 'ReadWrite'
    source.azureDisk.kind ??= 'Shared'
    source.azureDisk.fsType ??= 'ext4'
    source.azureDisk.readOnly ??= false
  } else return false
  return true
}

interface OldSources {
  iscsi?: { iscsiInterface?: string | undefined } | undefined
  rbd?: { pool?: string | undefined; user?: string | undefined; keyring?: string | undefined } | undefined
  scaleIO?: { storageMode?: string | undefined; fsType?: string | undefined } | undefined
  azureDisk?:
    | {
        cachingMode?: string | undefined
        kind?: string | undefined
        fsType?: string | undefined
        readOnly?: boolean | undefined
      }
    | undefined
}
