/** `skiff rollback`: back to what was there before the last roll. */
import { rollback } from '../rollout/index.ts'
import type { Io } from './io.ts'
import { showRoll } from './roll-output.ts'
import { commandLine, type Driver, drivingOptions, type PaceFlags, waysOn } from './roll-pace.ts'
import { type Place, resolveRolled } from './workload-names.ts'

export async function runRollback(flags: PaceFlags & { name: string }, io: Io, place: Place, driver: Driver): Promise<number> {
  const target = await resolveRolled(place, flags.name)
  const command = commandLine(['skiff', 'rollback', flags.name])
  const options = await drivingOptions({ flags, io, place, target, driver, command })
  return showRoll(rollback(options), io, { json: flags.json, hints: waysOn(flags.name, target, place) })
}
