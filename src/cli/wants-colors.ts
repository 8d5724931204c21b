/** Whether a command may colour what it prints: only on a terminal, and unless the user's environment speaks against it. */
import type { Io } from './io.ts'

export function wantsColors({ isTty, env }: Pick<Io, 'isTty' | 'env'>): boolean {
  return isTty && !env.NO_COLOR && env.TERM !== 'dumb'
}
