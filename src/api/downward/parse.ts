/**
 * Reads a field path: `[origin:]path [|json] [?? "default"]`, where origin is `pod`, `node`, `owner`, `owner/KIND`, `namespace`,
 * `service/NAME` or `host`, and the path is a JSONPath. What the path's names mean is `check.ts`'s business.
 */
import { dnsLabel } from '../names.ts'
import { parseSteps } from './parse-steps.ts'
import { FieldPathError, type FieldSource, HOST_FACTS, type HostFact, type Origin } from './source.ts'
import { TextReader } from './text-reader.ts'

export const MAX_PATH_LENGTH = 1_024

const ORIGINS = ['pod:', 'node:', 'owner:', 'owner/KIND:', 'namespace:', 'service/NAME:', 'host:']
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const CONTROL = /[\x00-\x1f\x7f]/
/** A word, perhaps with a name, before a colon: no field of an object is followed by one. */
const ORIGIN = /^\s*([A-Za-z][A-Za-z0-9-]*)(\/[^:\s'"[\](){}]*)?:/

/** Throws FieldPathError. */
export function parseFieldSource(text: string): FieldSource {
  const reader = new TextReader(text)
  const source = readSource(reader)
  if (!reader.done) throw reader.error(`${JSON.stringify(reader.rest(12))} is not understood`, afterPath(source))
  return source
}

/** Reads a path inside of other text, from `at` to the parenthesis that closes it. Throws FieldPathError, with positions from `at`. */
export function parseEnclosedSource(text: string, at: number): { source: FieldSource; end: number } {
  const reader = new TextReader(text.slice(at))
  const source = readSource(reader)
  if (reader.next !== ')') throw reader.error('the closing parenthesis is missing', [...afterPath(source), ')'])
  return { source, end: at + reader.at }
}

function readSource(reader: TextReader): FieldSource {
  const origin = readOrigin(reader)
  const steps = origin.from === 'host' ? [] : parseSteps(reader)
  reader.skipSpace()
  const json = reader.take('|')
  if (json) {
    reader.skipSpace()
    if (reader.word() !== 'json') throw reader.error('unknown form after |', ['json'])
    reader.skipSpace()
  }
  let fallback: string | undefined
  if (reader.take('??')) {
    reader.skipSpace()
    fallback = reader.quoted()
    if (fallback === undefined) throw reader.error('a default is a text in quotes', ['"…"'])
    reader.skipSpace()
  }
  const text = reader.text.slice(0, reader.at)
  if (text.length > MAX_PATH_LENGTH) {
    throw new FieldPathError(MAX_PATH_LENGTH, `a path has at most ${MAX_PATH_LENGTH} characters`)
  }
  const control = text.search(CONTROL)
  if (control >= 0) throw new FieldPathError(control, 'a path is one line, without control characters')
  return { text: text.trim(), origin, steps, json, fallback }
}

function afterPath({ json, fallback }: FieldSource): string[] {
  if (fallback !== undefined) return []
  return json ? ['?? "default"'] : ['.FIELD', '[INDEX]', '| json', '?? "default"']
}

function readOrigin(reader: TextReader): Origin {
  const match = ORIGIN.exec(reader.text)
  if (!match) return { from: 'pod' }
  const [all, word = '', named] = match
  const start = all.length - all.trimStart().length
  const name = named?.slice(1)
  const nameAt = start + word.length + 1
  if (word.toLowerCase().startsWith('secret')) throw new FieldPathError(start, 'a Secret is never shown by a field path', ORIGINS)
  reader.at = all.length
  switch (word) {
    case 'pod':
    case 'node':
    case 'namespace':
      if (name !== undefined) throw new FieldPathError(nameAt, `${word}: takes no name, it is the pod's own`, [`${word}:`])
      return { from: word }
    case 'owner':
      if (name === '') throw new FieldPathError(nameAt - 1, 'a kind is missing', ['owner:', 'owner/Deployment:'])
      return { from: 'owner', kind: name }
    case 'service':
      return { from: 'service', name: serviceName(name, nameAt) }
    case 'host':
      if (name !== undefined) throw new FieldPathError(nameAt, "host: takes no name, it is the pod's own", ['host:'])
      return { from: 'host', fact: hostFact(reader) }
    default:
      throw new FieldPathError(start, `there is no origin ${JSON.stringify(word)}`, ORIGINS)
  }
}

function serviceName(name: string | undefined, at: number): string {
  if (!name) throw new FieldPathError(at - 1, 'the name of a Service is missing', ['service/NAME:'])
  const [complaint] = dnsLabel(name)
  if (complaint) throw new FieldPathError(at, `${JSON.stringify(name)} is no name of a Service: ${complaint}`)
  return name
}

function hostFact(reader: TextReader): HostFact {
  reader.skipSpace()
  const { at } = reader
  const word = reader.word()
  const fact = HOST_FACTS.find((known) => known === word)
  if (!fact) throw new FieldPathError(at, word ? `the host has no ${JSON.stringify(word)}` : 'a fact is missing', HOST_FACTS)
  return fact
}
