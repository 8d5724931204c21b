/**
 * `$(NAME)` in command, args and env values: replaced where the name is known, left as written where it is not;
 * `$$` is a literal `$`, so `$$(NAME)` is never replaced.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  if (!text.includes('$')) return text
  let result = ''
  let at = 0
  for (let dollar = text.indexOf('$'); dollar >= 0 && dollar + 1 < text.length; dollar = text.indexOf('$', at)) {
    result += text.slice(at, dollar)
    const { value, length } = reference(text, dollar, lookup)
    result += value
    at = dollar + length
  }
  return result + text.slice(at)
}

/** What the `$` at `dollar` stands for, and how many characters it takes up. */
function reference(
  text: string,
  dollar: number,
  lookup: (name: string) => string | undefined,
): { value: string; length: number } {
  const next = text[dollar + 1]
  if (next === '$') return { value: '$', length: 2 }
  if (next !== '(') return { value: text.slice(dollar, dollar + 2), length: 2 }
  const end = text.indexOf(')', dollar + 2)
  // An unclosed reference is text; what follows it may still hold one.
  if (end < 0) return { value: '$(', length: 2 }
  const name = text.slice(dollar + 2, end)
  return { value: lookup(name) ?? `$(${name})`, length: end + 1 - dollar }
}
