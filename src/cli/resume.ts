/** `skiff resume`: goes on with a roll that was paused, or whose driver ended. */
import { resume } from '../rollout/index.ts'
import { findRolled, type RolledWords } from './find-rolled.ts'
import type { Io } from './io.ts'
import { showRoll } from './roll-output.ts'
import { commandLine, type Driver, drivingOptions, type PaceFlags, waysOn } from './roll-pace.ts'
import type { Session } from './session.ts'

export async function runResume(flags: PaceFlags & RolledWords, io: Io, session: Session, driver: Driver): Promise<number> {
  const rolled = await findRolled(flags, 'resume', session, io)
  const command = commandLine(['skiff', 'resume', rolled.name])
  const options = await drivingOptions({ flags, io, rolled, driver, command })
  return showRoll(resume(options), io, { json: flags.json, hints: waysOn(rolled) })
}
