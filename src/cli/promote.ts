/** `skiff promote`: a canary becomes all. */
import { promote } from '../rollout/index.ts'
import { findRolled, type RolledWords } from './find-rolled.ts'
import type { Io } from './io.ts'
import { showRoll } from './roll-output.ts'
import { commandLine, type Driver, drivingOptions, type PaceFlags, waysOn } from './roll-pace.ts'
import type { Session } from './session.ts'

export async function runPromote(flags: PaceFlags & RolledWords, io: Io, session: Session, driver: Driver): Promise<number> {
  const rolled = await findRolled(flags, 'promote', session, io)
  const command = commandLine(['skiff', 'promote', rolled.name])
  const options = await drivingOptions({ flags, io, rolled, driver, command })
  return showRoll(promote(options), io, { json: flags.json, hints: waysOn(rolled) })
}
