/** `skiff rollback`: back to what was there before the last roll. */
import { type RollKind, rollback } from '../rollout/index.ts'
import type { Io } from './io.ts'
import { type PaceFlags, paceOf } from './roll.ts'
import { showRoll } from './roll-output.ts'
import { type Place, ROLLED_KINDS, resolveWorkload } from './workload-names.ts'

export async function runRollback(flags: PaceFlags & { name: string }, io: Io, place: Place): Promise<number> {
  const { kind, name } = await resolveWorkload(place, flags.name, ROLLED_KINDS)
  const namespace = place.namespace === 'default' ? '' : ` -n ${place.namespace}`
  const hints = [`to go on: skiff rollback ${flags.name}${namespace}`]
  return showRoll(rollback(paceOf(flags, io, place, { kind: kind as RollKind, name })), io, { json: flags.json, hints })
}
