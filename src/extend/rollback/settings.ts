/** The annotation that asks for auto-rollback, read and checked. Pure. */

export const AUTO_ROLLBACK = 'skiff.dev/auto-rollback'

/** What is seen as a failure of a new template. */
export const TRIGGERS = ['progress-deadline', 'crash-loop'] as const
export type Trigger = (typeof TRIGGERS)[number]

/** Words with commas between. Throws an Error that names the word that is none of them. */
export function readTriggers(text: string): ReadonlySet<Trigger> {
  const words = text.split(',').map((word) => word.trim())
  const found = words.map((word) => TRIGGERS.find((trigger) => trigger === word) ?? word)
  const unknown = found.find((word) => !(TRIGGERS as readonly string[]).includes(word))
  if (unknown === undefined) return new Set(found as Trigger[])
  throw new Error(`${JSON.stringify(unknown)} is none of ${TRIGGERS.join(', ')}; several are separated by commas`)
}
