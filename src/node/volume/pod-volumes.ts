/**
 * One pod's volumes as directories of this host: set up before its first container, kept up to date while it runs, and
 * taken away after. Kinds that this node cannot serve are refused by name.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { claimNameOf } from '../../api/storage/claims.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import { type FileOwner, writeAtomically } from './atomic-files.ts'
import { claimedPath } from './claim.ts'
import { prepareEmptyDir, unmountBelow } from './empty-dir.ts'
import { prepareHostPath } from './host-path.ts'
import { type Payload, type PayloadContext, payloadOf, samePayload, VolumeError } from './payload.ts'
import type { PodTokens } from './token.ts'

export interface VolumeLookup {
  configMap: PayloadContext['configMap']
  secret: PayloadContext['secret']
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  /** Also makes sure that the volume is watched, so that a later answer differs. */
  persistentVolume(name: string): PersistentVolume | undefined
}

export interface PodVolumesOptions {
  /** Where this pod's volumes lie, one directory each. */
  directory: string
  lookup: VolumeLookup
  tokens: PodTokens
  clock: Clock
  /** False for a runtime whose containers read no files: sources are checked, and nothing is written. */
  writes: boolean
}

export interface MountedVolume {
  path: string
  readOnly: boolean
}

/** The part of the payload's context that changes with the pod. */
export type FieldsNow = Pick<PayloadContext, 'podIps' | 'hostIps' | 'allocatable'>

/** The volume's name and the reason, as the FailedMount event and the log need them. */
class MountError extends Error {
  override name = 'MountError'
}

export class PodVolumes {
  private readonly options: PodVolumesOptions
  private readonly mounted = new Map<string, MountedVolume>()
  private readonly written = new Map<string, Payload>()
  private busy: Promise<unknown> = Promise.resolve()

  constructor(options: PodVolumesOptions) {
    this.options = options
  }

  /** By volume name, after `prepare`. */
  get mounts(): ReadonlyMap<string, MountedVolume> {
    return this.mounted
  }

  /** Sets up every volume; also after a restart of the agent. Answers sentences about what could not be had in full. Throws MountError. */
  prepare(pod: Pod, fields: FieldsNow, signal: AbortSignal): Promise<string[]> {
    return this.alone(async () => {
      if (this.options.writes) {
        await mkdir(this.options.directory, { recursive: true, mode: 0o700 })
        await this.fetchTokens(pod, signal)
      }
      const notices: string[] = []
      for (const volume of pod.spec?.volumes ?? []) {
        const notice = await named(volume, () => this.setUp(pod, volume, fields))
        if (notice) notices.push(`volume ${volume.name}: ${notice}`)
      }
      return notices
    })
  }

  /** Writes what changed of the volumes made from objects. Throws MountError; what was there then stays. */
  refresh(pod: Pod, fields: FieldsNow, signal: AbortSignal): Promise<void> {
    return this.alone(async () => {
      if (!this.options.writes || this.mounted.size === 0) return
      await this.fetchTokens(pod, signal)
      for (const volume of pod.spec?.volumes ?? []) {
        if (this.written.has(volume.name)) await named(volume, () => this.project(pod, volume, fields))
      }
    })
  }

  remove(): Promise<void> {
    return this.alone(async () => {
      this.mounted.clear()
      this.written.clear()
      if (this.options.writes) await removeTree(this.options.directory)
    })
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.busy.then(work)
    this.busy = done.catch(() => {})
    return done
  }

  private async fetchTokens(pod: Pod, signal: AbortSignal): Promise<void> {
    try {
      await this.options.tokens.fetch(pod, signal)
    } catch (error) {
      throw new MountError(`failed to fetch token: ${(error as Error).message}`, { cause: error })
    }
  }

  private async setUp(pod: Pod, volume: Volume, fields: FieldsNow): Promise<string | undefined> {
    const path = join(this.options.directory, volume.name)
    const claimName = claimNameOf(pod, volume)
    if (claimName) {
      await this.setUpClaim(pod, volume, claimName)
    } else if (volume.hostPath) {
      if (this.options.writes) await prepareHostPath(volume.hostPath.path, volume.hostPath.type)
      this.mounted.set(volume.name, { path: volume.hostPath.path, readOnly: false })
    } else if (volume.emptyDir) {
      this.mounted.set(volume.name, { path, readOnly: false })
      return this.options.writes ? prepareEmptyDir(path, volume.emptyDir, groupOf(pod)) : undefined
    } else {
      await this.project(pod, volume, fields)
      this.mounted.set(volume.name, { path, readOnly: true })
    }
    return undefined
  }

  private async setUpClaim(pod: Pod, volume: Volume, claimName: string): Promise<void> {
    const { lookup, writes } = this.options
    const namespace = pod.metadata.namespace ?? ''
    const claimed = claimedPath(namespace, claimName, lookup.claim(namespace, claimName), (name) => lookup.persistentVolume(name))
    // A provisioner of paths makes them on first use, as for DirectoryOrCreate.
    if (writes) await prepareHostPath(claimed.path, claimed.type)
    const readOnly = claimed.readOnly || volume.persistentVolumeClaim?.readOnly === true
    this.mounted.set(volume.name, { path: claimed.path, readOnly })
  }

  private async project(pod: Pod, volume: Volume, fields: FieldsNow): Promise<void> {
    const { lookup, tokens, writes, directory, clock } = this.options
    const owner = ownerOf(pod)
    const payload = payloadOf(pod, volume, {
      ...fields,
      configMap: lookup.configMap,
      secret: lookup.secret,
      token: (projection) => tokens.get(projection),
      tokenMode: owner.gid !== undefined || owner.uid !== undefined ? 0o600 : 0o644,
    })
    if (!payload) throw new VolumeError(`volume kind ${kindOf(volume)} is not supported by this node`)
    const before = this.written.get(volume.name)
    if (before && samePayload(before, payload)) return
    if (writes) await writeAtomically(join(directory, volume.name), payload, owner, clock.now())
    this.written.set(volume.name, payload)
  }
}

/** Removes a pod's directory, and before it what is mounted there. */
export async function removeTree(directory: string): Promise<void> {
  await unmountBelow(directory)
  await rm(directory, { recursive: true, force: true })
}

async function named<T>(volume: Volume, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const message = `MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${(error as Error).message}`
    throw new MountError(message, { cause: error })
  }
}

function kindOf(volume: Volume): string {
  return Object.keys(volume).find((field) => field !== 'name') ?? '(none)'
}

const mayGiveAway = () => process.getuid?.() === 0

/** Only root can hand files to another group; without it they stay the agent's, readable as their modes say. */
function groupOf(pod: Pod): number | undefined {
  return mayGiveAway() ? pod.spec?.securityContext?.fsGroup : undefined
}

/** Token files belong to the one user that all containers run as, when there is one. */
function ownerOf(pod: Pod): FileOwner {
  if (!mayGiveAway()) return {}
  const gid = groupOf(pod)
  if (gid !== undefined) return { gid }
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  const users = new Set(containers.map((c) => c.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser))
  const [uid] = users
  return users.size === 1 && uid !== undefined ? { uid } : {}
}
