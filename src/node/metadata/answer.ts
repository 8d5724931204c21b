/** The answer to a query as bytes with their kind and etag. Pure; the same state always has the same etag. */
import { createHash } from 'node:crypto'
import type { Query } from './query.ts'
import { type Facts, TREE } from './tree.ts'
import { deepText, find, isDirectory, leafText, listing, toJson, type Value } from './value.ts'

export interface Answer {
  status: 200 | 301 | 404
  body: string
  json: boolean
  etag: string
}

export function answer(facts: Facts, query: Query): Answer {
  const value = valueAt(facts, query.segments)
  if (value === undefined) return missing(facts, query)
  if (isDirectory(value) && !query.directory) return text(301, '')
  if (!isDirectory(value) && query.directory && query.segments.length > 0) return missing(facts, query)
  if (!isDirectory(value)) return query.alt === 'json' ? json(toJson(value)) : text(200, leafText(value))
  if (!query.recursive) {
    const names = listing(value)
    return query.alt === 'json' ? json(names) : text(200, names.map((name) => `${name}\n`).join(''))
  }
  return query.alt === 'text' ? text(200, deepText(value)) : json(toJson(value))
}

function valueAt(facts: Facts, segments: readonly string[]): Value | undefined {
  const [first, ...rest] = segments
  if (first !== undefined) {
    const branch = Object.hasOwn(TREE, first) ? TREE[first]?.(facts) : undefined
    return branch === undefined ? undefined : find(branch, rest)
  }
  return Object.fromEntries(Object.entries(TREE).map(([name, branch]) => [name, branch(facts)]))
}

/** Says how far the path led and what would have been possible there. */
function missing(facts: Facts, { segments }: Query): Answer {
  for (let known = segments.length - 1; known >= 0; known -= 1) {
    const value = valueAt(facts, segments.slice(0, known))
    if (value === undefined || !isDirectory(value)) continue
    const where = segments.slice(0, known).join('/')
    const names = listing(value).join(' ') || 'nothing'
    return text(404, `no ${segments[known]} in /${where}; there is: ${names}\n`)
  }
  return text(404, 'there is nothing\n')
}

function text(status: Answer['status'], body: string): Answer {
  return { status, body, json: false, etag: etagOf(body) }
}

function json(value: unknown): Answer {
  const body = JSON.stringify(value)
  return { status: 200, body, json: true, etag: etagOf(body) }
}

function etagOf(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 16)
}
