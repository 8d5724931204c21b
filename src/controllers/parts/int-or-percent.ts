/** `IntOrString` amounts such as maxSurge: a count, or a percentage of a total. Pure. */

/** The count meant, rounded as asked for percentages. Throws RangeError for a text that is neither. */
export function resolveIntOrPercent(value: number | string | undefined, total: number, round: 'up' | 'down'): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const percent = /^([0-9]+)%$/.exec(value)?.[1]
  if (percent === undefined) throw new RangeError(`${JSON.stringify(value)} is neither a number nor a percentage`)
  const exact = (Number(percent) * total) / 100
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact)
}
