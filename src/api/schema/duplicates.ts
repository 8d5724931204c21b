/**
 * Finds keys that stand twice in one object of a JSON text, which JSON.parse hides. The text is known to be well-formed.
 * Most texts have none, and counting keys proves that without building anything.
 */

/** The problems, `duplicate field "data.a"`. `keyCount` is the number of keys in what JSON.parse made of the text. */
export function findDuplicateKeys(text: string, keyCount: number): string[] {
  return countKeysInText(text) === keyCount ? [] : new Scanner(text).scan()
}

/** A string that is followed by a colon is a key. */
function countKeysInText(text: string): number {
  let count = 0
  let at = text.indexOf('"')
  while (at >= 0) {
    let end = endOfString(text, at) + 1
    while (text.charCodeAt(end) <= 32) end++
    if (text.charCodeAt(end) === 58) count++
    at = text.indexOf('"', end)
  }
  return count
}

/** The index of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (text.charCodeAt(end - 1) === 92 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, quote: number): boolean {
  let slashes = 0
  while (text.charCodeAt(quote - 1 - slashes) === 92) slashes++
  return slashes % 2 === 1
}

interface Frame {
  /** The path of the object or list, as problems show it. */
  path: string
  /** Keys seen so far; undefined for a list. */
  keys: Set<string> | undefined
  /** The key or index whose value is being read. */
  step: string
  index: number
}

class Scanner {
  readonly #text: string
  readonly #frames: Frame[] = []
  readonly #problems: string[] = []
  constructor(text: string) {
    this.#text = text
  }

  scan(): string[] {
    const text = this.#text
    for (let at = 0; at < text.length; at++) {
      const character = text[at]
      const frame = this.#frames.at(-1)
      if (character === '{' || character === '[') this.#open(character === '{')
      else if (character === '}' || character === ']') this.#frames.pop()
      else if (character === ',' && frame && !frame.keys) frame.index++
      else if (character === '"') at = this.#readString(at)
    }
    return this.#problems
  }

  #open(isObject: boolean): void {
    const outer = this.#frames.at(-1)
    const path = !outer ? '' : outer.keys ? join(outer.path, outer.step) : `${outer.path}[${outer.index}]`
    this.#frames.push({ path, keys: isObject ? new Set() : undefined, step: '', index: 0 })
  }

  /** Reads the string at `start`, notes it when it is a key, and returns the index of its closing quote. */
  #readString(start: number): number {
    const end = endOfString(this.#text, start)
    let after = end + 1
    while (this.#text.charCodeAt(after) <= 32) after++
    const frame = this.#frames.at(-1)
    if (frame?.keys && this.#text[after] === ':') {
      const key = JSON.parse(this.#text.slice(start, end + 1)) as string
      if (frame.keys.has(key)) this.#report(join(frame.path, key))
      frame.keys.add(key)
      frame.step = key
    }
    return end
  }

  #report(path: string): void {
    const problem = `duplicate field ${JSON.stringify(path)}`
    if (!this.#problems.includes(problem)) this.#problems.push(problem)
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
