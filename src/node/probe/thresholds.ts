/** When a row of probe results changes the verdict. Pure. */
import type { Probe } from '../../api/types.ts'

export interface Verdict {
  /** What counts now. `undefined`: not decided yet. */
  ok: boolean | undefined
  /** How many results in a row were of the last kind. */
  run: number
  lastOk: boolean | undefined
}

export const undecided = (ok?: boolean): Verdict => ({ ok, run: 0, lastOk: undefined })

export function judge(verdict: Verdict, probe: Probe, ok: boolean): Verdict {
  const run = verdict.lastOk === ok ? verdict.run + 1 : 1
  const threshold = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3)
  return { ok: run >= threshold ? ok : verdict.ok, run, lastOk: ok }
}
