/** `skiff rollback`: back to what was there before the last roll, or to what the history has under a number. */
import { rollback } from '../rollout/index.ts'
import { findRolled, type RolledWords } from './find-rolled.ts'
import type { Io } from './io.ts'
import { showRoll } from './roll-output.ts'
import { commandLine, type Driver, drivingOptions, type PaceFlags, waysOn } from './roll-pace.ts'
import type { Session } from './session.ts'

export interface RollbackFlags extends PaceFlags, RolledWords {
  /** As `skiff history` numbers them; 0 is the one before, as kubectl has it. */
  toRevision?: number | undefined
}

export async function runRollback(flags: RollbackFlags, io: Io, session: Session, driver: Driver): Promise<number> {
  const rolled = await findRolled(flags, 'rollback', session, io)
  const toRevision = flags.toRevision || undefined
  const number = toRevision === undefined ? [] : ['--to-revision', String(toRevision)]
  const command = commandLine(['skiff', 'rollback', rolled.name, ...number])
  const options = { ...(await drivingOptions({ flags, io, rolled, driver, command })), toRevision }
  return showRoll(rollback(options), io, { json: flags.json, hints: waysOn(rolled) })
}
