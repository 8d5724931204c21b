/** Patterns of schemas are written for Go's RE2; nearly all of them mean the same in JavaScript. */

const REMEMBERED = 1000
const compiled = new Map<string, RegExp>()

/** Throws a SyntaxError for what JavaScript has no word for; a definition with such a pattern is to be refused. */
export function compilePattern(pattern: string): RegExp {
  let expression = compiled.get(pattern)
  if (!expression) {
    const [, letters = '', rest = pattern] = /^\(\?([ims]+)\)(.*)$/s.exec(pattern) ?? []
    expression = withUnicode(rest.replace(/\\A/g, '^').replace(/\\z/g, '$'), letters)
    if (compiled.size >= REMEMBERED) compiled.clear()
    compiled.set(pattern, expression)
  }
  return expression
}

/** Characters beyond 16 bits count as one, unless the pattern escapes what needs no escape: then only the older syntax takes it. */
function withUnicode(source: string, letters: string): RegExp {
  try {
    return new RegExp(source, `${letters}u`)
  } catch {
    return new RegExp(source, letters)
  }
}
