/** What the commands that drive a roll share: flags of pace, who drives, and the commands that go on from an interruption. */
import { hostname, userInfo } from 'node:os'
import { StatusError } from '../api/status.ts'
import { systemClock } from '../base/clock.ts'
import type { Client, ResourceRef } from '../client/client.ts'
import type { RollbackOptions } from '../rollout/index.ts'
import type { Rolled } from './find-rolled.ts'
import { CommandError, type Io } from './io.ts'

/** The flags that a roll and its ways on share. */
export interface PaceFlags {
  maxSurge?: string | undefined
  maxUnavailable?: string | undefined
  /** Seconds. */
  minReady?: number | undefined
  timeoutMs?: number | undefined
  deadlineMs?: number | undefined
  updatePeriodMs?: number | undefined
  onInterrupt?: 'pause' | 'rollback' | 'continue' | undefined
  note?: string | undefined
  json: boolean
}

/** This process among the drivers of rolls. */
export interface Driver {
  readonly name: string
  /** Whether a driver of this machine has ended. */
  isGone(name: string): boolean
}

export interface Driving {
  flags: PaceFlags
  io: Io
  rolled: Rolled
  driver: Driver
  /** As typed, for the history. */
  command: string
}

export async function drivingOptions({ flags, io, rolled, driver, command }: Driving): Promise<RollbackOptions> {
  const { place, target } = rolled
  return {
    client: place.client,
    clock: systemClock,
    namespace: place.namespace,
    target,
    maxSurge: amount(flags.maxSurge, '--max-surge'),
    maxUnavailable: amount(flags.maxUnavailable, '--max-unavailable'),
    minReadySeconds: flags.minReady,
    timeoutMs: flags.timeoutMs,
    deadlineMs: flags.deadlineMs,
    updatePeriodMs: flags.updatePeriodMs,
    onInterrupt: flags.onInterrupt,
    signal: io.signal,
    holder: driver.name,
    isGone: driver.isGone,
    by: await userOf(place.client),
    command,
    note: flags.note,
  }
}

export function amount(text: string | undefined, flag: string): number | string | undefined {
  if (text === undefined) return undefined
  if (/^[0-9]+$/.test(text)) return Number(text)
  if (/^[0-9]+%$/.test(text)) return text
  throw new CommandError(`${flag} takes a count or a percentage, not ${JSON.stringify(text)}`)
}

const selfSubjectReviews: ResourceRef<{ metadata?: object; status?: { userInfo?: { username?: string } } }> = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
}

/** As the cluster knows the user; where it does not tell, as this machine does. */
async function userOf(client: Client): Promise<string> {
  const local = `${userInfo().username}@${hostname()}`
  try {
    const review = await client.create(selfSubjectReviews, { metadata: {} })
    return review.status?.userInfo?.username ?? local
  } catch (error) {
    if (error instanceof StatusError) return local
    throw error
  }
}

/** The commands with which an interrupted roll goes on. */
export function waysOn({ name, target: { kind }, place }: Rolled): string[] {
  const rest = `${name}${place.namespace === 'default' ? '' : ` -n ${place.namespace}`}`
  const isClientSide = kind === 'ReplicaSet' || kind === 'ReplicationController'
  return [
    `to resume:    skiff resume ${rest}`,
    `to roll back: skiff rollback ${rest}`,
    ...(isClientSide ? [`to keep both: skiff abort ${rest} --keep`] : []),
  ]
}

/** A command line that does the same again: words with spaces are quoted. */
export function commandLine(words: readonly (string | undefined)[]): string {
  return words
    .filter((word) => word !== undefined)
    .map((word) => (/^[\w@%+=:,./[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ')
}
