/** `skiff rollback`: back to what was there before the last roll. */
import { rollback } from '../rollout/index.ts'
import { findRolled, type RolledWords } from './find-rolled.ts'
import type { Io } from './io.ts'
import { showRoll } from './roll-output.ts'
import { commandLine, type Driver, drivingOptions, type PaceFlags, waysOn } from './roll-pace.ts'
import type { Session } from './session.ts'

export async function runRollback(flags: PaceFlags & RolledWords, io: Io, session: Session, driver: Driver): Promise<number> {
  const rolled = await findRolled(flags, 'rollback', session, io)
  const command = commandLine(['skiff', 'rollback', rolled.name])
  const options = await drivingOptions({ flags, io, rolled, driver, command })
  return showRoll(rollback(options), io, { json: flags.json, hints: waysOn(rolled) })
}
