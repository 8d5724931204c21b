/** `skiff abort`: back to before the roll, and away with what it made; or both kept as they are. */
import { abort } from '../rollout/index.ts'
import type { Io } from './io.ts'
import { showRoll } from './roll-output.ts'
import { commandLine, type Driver, drivingOptions, type PaceFlags, waysOn } from './roll-pace.ts'
import { type Place, resolveRolled } from './workload-names.ts'

export interface AbortFlags extends PaceFlags {
  name: string
  /** Both controllers stay as they are. */
  keep: boolean
}

export async function runAbort(flags: AbortFlags, io: Io, place: Place, driver: Driver): Promise<number> {
  const target = await resolveRolled(place, flags.name)
  const command = commandLine(['skiff', 'abort', flags.name, flags.keep ? '--keep' : undefined])
  const options = await drivingOptions({ flags, io, place, target, driver, command })
  const roll = abort({ ...options, keepPods: flags.keep })
  return showRoll(roll, io, { json: flags.json, hints: waysOn(flags.name, target, place) })
}
