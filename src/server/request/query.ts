/** A request's query parameters: names to one or more values, from a URL or from an in-process caller's object. */
export class Query {
  #values: Map<string, string[]>

  constructor(values: Map<string, string[]>) {
    this.#values = values
  }

  static readonly empty = new Query(new Map())

  /** Parses what follows the `?`. */
  static parse(text: string): Query {
    if (text === '') return Query.empty
    const values = new Map<string, string[]>()
    for (const [name, value] of new URLSearchParams(text.includes('%') ? withoutMalformed(text) : text)) {
      const known = values.get(name)
      if (known) known.push(value)
      else values.set(name, [value])
    }
    return new Query(values)
  }

  static of(object: Record<string, string | readonly string[] | undefined> | undefined): Query {
    if (!object) return Query.empty
    const values = new Map<string, string[]>()
    for (const [name, value] of Object.entries(object)) {
      if (value !== undefined) values.set(name, typeof value === 'string' ? [value] : [...value])
    }
    return new Query(values)
  }

  /** As it stands in a URL. */
  toString(): string {
    const pairs = [...this.#values].flatMap(([name, values]) => values.map((value): [string, string] => [name, value]))
    return new URLSearchParams(pairs).toString()
  }

  /** The first value, or undefined. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.[0]
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** Booleans as Kubernetes converts them: everything but `false` and `0` (in any case) is true once it is there. */
  flag(name: string): boolean {
    const value = this.get(name)
    return value !== undefined && value !== '0' && value.toLowerCase() !== 'false'
  }
}

/** Pairs whose escapes are broken do not count, as in Go. */
function withoutMalformed(text: string): string {
  const pairs = text.split('&')
  return pairs.filter((pair) => !/%(?![0-9A-Fa-f]{2})/.test(pair)).join('&')
}
