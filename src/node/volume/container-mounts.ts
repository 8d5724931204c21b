/** A container's volumeMounts as mounts for the runtime, sub paths included. */
import { existsSync, realpathSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { expand } from '../../api/downward/expand.ts'
import type { Container, VolumeMount } from '../../api/types.ts'
import type { Mount } from '../runtime/runtime.ts'
import { VolumeError } from './payload.ts'
import type { MountedVolume } from './pod-volumes.ts'

/** `variables` are the container's own, for subPathExpr. Throws VolumeError. */
export async function containerMounts(
  container: Container,
  volumes: ReadonlyMap<string, MountedVolume>,
  variables: ReadonlyMap<string, string>,
): Promise<Mount[]> {
  if (container.volumeDevices && container.volumeDevices.length > 0) {
    throw new VolumeError(`volumeDevices of container ${container.name} are not supported by this node`)
  }
  const mounts: Mount[] = []
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name)
    if (!volume)
      throw new VolumeError(`cannot find volume ${JSON.stringify(mount.name)} to mount into container ${container.name}`)
    const subPath = subPathOf(mount, variables)
    mounts.push({
      hostPath: subPath ? await insideVolume(volume, subPath) : volume.path,
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      readOnly: volume.readOnly || mount.readOnly === true,
      ...propagationOf(mount),
    })
  }
  return mounts
}

function propagationOf(mount: VolumeMount): Pick<Mount, 'propagation'> {
  const propagation = mount.mountPropagation
  return propagation === 'HostToContainer' || propagation === 'Bidirectional' ? { propagation } : {}
}

function subPathOf(mount: VolumeMount, variables: ReadonlyMap<string, string>): string {
  if (!mount.subPathExpr) return mount.subPath ?? ''
  const missing = new Set<string>()
  const path = expand(mount.subPathExpr, (name) => {
    if (!variables.has(name)) missing.add(name)
    return variables.get(name)
  })
  if (missing.size > 0) throw new VolumeError(`missing value for ${JSON.stringify([...missing][0])} in subPathExpr`)
  if (path.startsWith('/') || path.split('/').includes('..')) throw new VolumeError(`subPathExpr ${path} leaves the volume`)
  return path
}

/** The real path of a sub path, made if it is missing. Links that lead out of the volume are refused. */
async function insideVolume(volume: MountedVolume, subPath: string): Promise<string> {
  const root = realpathSync(volume.path)
  const path = join(root, subPath)
  let existing = path
  while (existing !== root && !existsSync(existing)) existing = join(existing, '..')
  const real = realpathSync(existing)
  if (real !== root && !real.startsWith(root + sep)) throw new VolumeError(`subPath ${subPath} leads out of the volume`)
  if (existing === path) return real
  if (volume.readOnly) throw new VolumeError(`subPath ${subPath} does not exist in a read-only volume`)
  await mkdir(path, { recursive: true, mode: 0o750 })
  return path
}
