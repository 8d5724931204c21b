/** Names that may have been meant by one that does not exist. */

/** As many as are proposed. */
const MAX_PROPOSALS = 3

interface Named {
  readonly name: string
}

/** The closest first; none that has little to do with the name asked for, or that is not accepted. */
export function nearest<T extends Named>(asked: string, all: Iterable<T>, accept: (one: T) => boolean = () => true): T[] {
  const limit = distanceLimit(asked)
  const near: { one: T; distance: number }[] = []
  for (const one of all) {
    const distance = one.name.startsWith(asked) && limit > 0 ? 1 : editDistance(asked, one.name, limit)
    if (distance <= limit) near.push({ one, distance })
  }
  near.sort((a, b) => a.distance - b.distance || (a.one.name < b.one.name ? -1 : 1))
  const proposed: T[] = []
  for (const { one } of near) {
    if (proposed.length === MAX_PROPOSALS) break
    if (accept(one)) proposed.push(one)
  }
  return proposed
}

/** Two edits, or a third of a longer name; of a very short one, a single edit, and of a letter none. */
function distanceLimit(name: string): number {
  if (name.length <= 3) return name.length === 1 ? 0 : 1
  return Math.max(2, Math.floor(name.length / 3))
}

/** How many letters must be put in, left out, replaced or swapped with their neighbour. Above the limit it is the limit and one. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      let cell = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cell = Math.min(cell, before[j - 2]! + 1)
      next.push(cell)
      least = Math.min(least, cell)
    }
    // A swap looks two rows back, so one row above the limit is not yet the end.
    if (least > limit && Math.min(...row) > limit) return limit + 1
    before = row
    row = next
  }
  return Math.min(row[b.length]!, limit + 1)
}
