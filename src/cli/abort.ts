/** `skiff abort`: back to before the roll, and away with what it made; or both kept as they are. */
import { abort } from '../rollout/index.ts'
import { findRolled, type RolledWords } from './find-rolled.ts'
import type { Io } from './io.ts'
import { showRoll } from './roll-output.ts'
import { commandLine, type Driver, drivingOptions, type PaceFlags, waysOn } from './roll-pace.ts'
import type { Session } from './session.ts'

export interface AbortFlags extends PaceFlags, RolledWords {
  /** Both controllers stay as they are. */
  keep: boolean
}

export async function runAbort(flags: AbortFlags, io: Io, session: Session, driver: Driver): Promise<number> {
  const rolled = await findRolled(flags, 'abort', session, io)
  const command = commandLine(['skiff', 'abort', rolled.name, flags.keep ? '--keep' : undefined])
  const options = await drivingOptions({ flags, io, rolled, driver, command })
  const roll = abort({ ...options, keepPods: flags.keep })
  return showRoll(roll, io, { json: flags.json, hints: waysOn(rolled) })
}
