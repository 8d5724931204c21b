/** Which tags of a repository come into question, the best first, and never one below what runs. Pure. */
import { compareVersions, parseVersion, satisfies, type Version } from './semver.ts'
import type { Policy } from './settings.ts'

export interface Candidates {
  tags: string[]
  /** Why there are none. */
  why: string
}

/** `current`: the tag that runs, of the same repository; undefined for none, which anything may replace. */
export function candidatesOf(policy: Policy, tags: readonly string[], current: string | undefined): Candidates {
  switch (policy.kind) {
    case 'tag': {
      const [wanted, running] = [parseVersion(policy.tag), current === undefined ? undefined : parseVersion(current)]
      if (wanted && running && compareVersions(wanted, running) < 0)
        return { tags: [], why: `${current} runs, which is above ${policy.tag}` }
      return { tags: [policy.tag], why: '' }
    }
    case 'semver':
      return ranked(tags, current, parseVersion, compareVersions, {
        fits: (version: Version) => satisfies(version, policy.range),
        none: `no tag is a version in ${JSON.stringify(policy.text)}`,
      })
    case 'newest': {
      const { before, after, by } = policy
      const keyOf = (tag: string) => {
        const fits = tag.length > before.length + after.length && tag.startsWith(before) && tag.endsWith(after)
        const key = fits ? tag.slice(before.length, tag.length - after.length) : undefined
        return key !== undefined && (by === 'name' || /^\d+$/.test(key)) ? key : undefined
      }
      const compare = by === 'name' ? compareTexts : (a: string, b: string) => compareNumbers(a, b)
      return ranked(tags, current, keyOf, compare, {
        fits: () => true,
        none: `no tag fits ${JSON.stringify(`${before}*${after}`)}${by === 'number' ? ' with a number' : ''}`,
      })
    }
  }
}

function ranked<K>(
  tags: readonly string[],
  current: string | undefined,
  keyOf: (tag: string) => K | undefined,
  compare: (a: K, b: K) => number,
  { fits, none }: { fits: (key: K) => boolean; none: string },
): Candidates {
  const found: { tag: string; key: K }[] = []
  for (const tag of tags) {
    const key = keyOf(tag)
    if (key !== undefined && fits(key)) found.push({ tag, key })
  }
  if (found.length === 0) return { tags: [], why: none }
  const running = current === undefined ? undefined : keyOf(current)
  const notBelow = running === undefined ? found : found.filter(({ key }) => compare(key, running) >= 0)
  // Of two tags that mean the same version (1.2.0 and v1.2.0) the one that runs is the better one.
  notBelow.sort(
    (a, b) => compare(b.key, a.key) || Number(b.tag === current) - Number(a.tag === current) || compareTexts(a.tag, b.tag),
  )
  return { tags: notBelow.map(({ tag }) => tag), why: notBelow.length > 0 ? '' : `${current} runs, which is above all that fit` }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Of any length: dates with times are longer than what numbers hold exactly. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')]
  return left.length - right.length || compareTexts(left, right)
}
