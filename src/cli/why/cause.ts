/** The answer of `skiff why`: what waits, why and since when, and what is behind that. Pure. */
export interface Cause {
  /** `pod/web-1`, `service/db`, `tcp://db:5432`; with `(in NAMESPACE)` outside the command's own. */
  subject: string
  why: string
  /** RFC 3339; absent where nothing says it. */
  since?: string | undefined
  behind: Cause[]
  /** It was explained already: what is behind it stands there. */
  repeated?: true
}

/** The ends of all chains, each once. */
export function rootCauses(causes: readonly Cause[]): Cause[] {
  const found = new Map<string, Cause>()
  const visit = (cause: Cause): void => {
    if (cause.repeated) return
    if (cause.behind.length === 0) found.set(`${cause.subject} ${cause.why}`, cause)
    for (const each of cause.behind) visit(each)
  }
  for (const cause of causes) visit(cause)
  return [...found.values()]
}

/** A line each, indented by what is behind what. `ago` says how long ago a time was. */
export function causeLines(causes: readonly Cause[], ago: (since: string) => string, depth = 0): string[] {
  return causes.flatMap((cause) => {
    const since = cause.since === undefined ? '' : `, for ${ago(cause.since)} (since ${cause.since})`
    // Of a sentence that goes on the stop would be in the way.
    const why = since === '' ? cause.why : cause.why.replace(/\.$/, '')
    const line = `${'  '.repeat(depth)}${cause.subject}: ${why}${cause.repeated ? ' (see above)' : since}`
    return [line, ...causeLines(cause.behind, ago, depth + 1)]
  })
}
