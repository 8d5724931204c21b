/** Request bodies: JSON, YAML or protobuf (or an object, in process) in, a decoded object of the expected kind out. */

import { invalid as invalidValue } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { kindSchema } from '../../api/schema/builtin.ts'
import { DecodeError, decode, parseJson } from '../../api/schema/decode.ts'
import type { StructSchema } from '../../api/schema/schema.ts'
import { badRequest, invalid, type StatusError, unsupportedMediaType } from '../../api/status.ts'
import { copyJson, isRecord } from '../objects/json.ts'
import type { Registry } from '../registry.ts'
import { goJsonMessage } from './json-errors.ts'
import type { ApiRequest } from './request.ts'

/** What the body is supposed to be. */
export interface ExpectedKind {
  readonly apiVersion: string
  readonly kind: string
  readonly schema: StructSchema
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** A parsed body, before it is taken for any kind. */
export interface ParsedBody {
  value: unknown
  /** Keys that stand twice, as warnings name them. */
  duplicates: readonly string[]
  /** The same in one error, where that is worded in another way. */
  duplicatesError?: string
}

const JSON_TYPE = 'application/json'
const YAML_TYPE = 'application/yaml'
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

/** The media type without parameters, in lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/** Reads, decodes and checks the body. Throws 400 for what is malformed or of another kind, 415 for unknown formats. */
export async function readObject(request: ApiRequest, expected: ExpectedKind, registry: Registry): Promise<KubeObject> {
  const validation = fieldValidation(request)
  const body = await parseBody(request, expected.kind, validation !== 'Ignore')
  return decodeAs(body, expected, registry, validation, request.warnings)
}

/** `fieldValidation`, whose default is Warn; in process, where objects come from typed code, Ignore. */
export function fieldValidation(request: ApiRequest): FieldValidation {
  const given = request.query.get('fieldValidation')
  if (given === 'Ignore' || given === 'Warn' || given === 'Strict') return given
  return request.trusted ? 'Ignore' : 'Warn'
}

/** A body of options: parsed, or undefined when there is none. */
export async function parseBodyValue(request: ApiRequest, kind: string): Promise<unknown> {
  const body = await request.body()
  if (body === undefined || (body instanceof Uint8Array && body.byteLength === 0)) return undefined
  return (await parseBody(request, kind, false)).value
}

async function parseBody(request: ApiRequest, kind: string, strict: boolean): Promise<ParsedBody> {
  const body = await request.body()
  if (body !== undefined && !(body instanceof Uint8Array)) return { value: body, duplicates: [] }
  const bytes = Buffer.from(body?.buffer ?? new ArrayBuffer(0), body?.byteOffset ?? 0, body?.byteLength ?? 0)
  const type = mediaType(request.header('content-type')) || JSON_TYPE
  try {
    if (type === JSON_TYPE) return parseJson(bytes.toString(), { strict })
    if (type === YAML_TYPE) return await parseYaml(bytes.toString(), strict)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const place = type === JSON_TYPE ? "couldn't get version/kind; json parse error: " : ''
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${place}${messageOf(error)}`)
  }
  if (type === PROTOBUF_TYPE) return await parseProtobuf(bytes, kind)
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${JSON_TYPE}, ${YAML_TYPE}, ${PROTOBUF_TYPE}`,
  )
}

/** Malformed JSON is described as Go does. */
export function messageOf(error: DecodeError): string {
  return error.cause instanceof SyntaxError ? goJsonMessage(error.cause.message) : error.message
}

/** The first document, with JSON's types. Throws DecodeError. */
export async function parseYaml(text: string, strict: boolean): Promise<ParsedBody> {
  const { parseYamlDocument } = await import('./yaml.ts')
  return parseYamlDocument(text, strict)
}

async function parseProtobuf(bytes: Buffer, kind: string): Promise<ParsedBody> {
  const { decodeProtobuf } = await import('../../api/protobuf/envelope.ts')
  try {
    return { value: decodeProtobuf(bytes), duplicates: [] }
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ProtobufError') throw error
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${error.message}`)
  }
}

/** Takes a parsed body for the expected kind. Throws a 400. */
export function decodeAs(
  body: ParsedBody,
  expected: ExpectedKind,
  registry: Registry,
  validation: FieldValidation,
  warnings: string[],
): KubeObject {
  const { kind, apiVersion } = expected
  if (body.value === null) body.value = {}
  if (!isRecord(body.value)) {
    const why = `cannot unmarshal ${Array.isArray(body.value) ? 'array' : typeof body.value} into Go value of type struct`
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: json: ${why}`,
    )
  }
  if (expected.schema.source) requireKind(body.value, kind)
  const given = kindGiven(body.value, expected)
  checkKind(given, expected, registry, body.value)
  const title = `${given.kind} in version ${JSON.stringify(versionOf(given.apiVersion))} cannot be handled as a ${kind}`
  const reset = resetsManagers(body.value)
  try {
    const { value, problems } = decode<KubeObject>(expected.schema, body.value, { strict: validation !== 'Ignore' })
    value.kind = kind
    value.apiVersion = apiVersion
    if (reset) value.metadata.managedFields = [{}]
    const duplicates = validation === 'Strict' && body.duplicatesError ? [body.duplicatesError] : body.duplicates
    reportProblems([...duplicates, ...problems], title, validation, warnings)
    return value
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`${title}: ${error.message}`)
    throw error
  }
}

/** Refuses or warns about unknown and duplicate fields. */
function reportProblems(problems: readonly string[], title: string, validation: FieldValidation, warnings: string[]): void {
  if (problems.length === 0 || validation === 'Ignore') return
  if (validation === 'Strict') throw badRequest(`${title}: strict decoding error: ${problems.join(', ')}`)
  warnings.push(...problems)
}

/** Whether managedFields were sent as an empty list, which says more than none at all: decoding would drop it. */
export function resetsManagers({ metadata }: Record<string, unknown>): boolean {
  return isRecord(metadata) && Array.isArray(metadata.managedFields) && metadata.managedFields.length === 0
}

const SUMMARY_LENGTH = 30

/** What a custom resource is, it must say itself. */
function requireKind(value: Record<string, unknown>, kind: string): void {
  if (typeof value.kind === 'string' && value.kind !== '') return
  const text = JSON.stringify(value)
  const summary = text.length > SUMMARY_LENGTH ? `${text.slice(0, SUMMARY_LENGTH)} ...` : text
  throw badRequest(
    `the object provided is unrecognized (must be of type ${kind}): Object 'Kind' is missing in '${text}' (${summary})`,
  )
}

interface GivenKind {
  apiVersion: string
  kind: string
}

/** A body that does not say what it is, is what the path says. */
function kindGiven(value: Record<string, unknown>, expected: ExpectedKind): GivenKind {
  const text = (member: unknown, fallback: string) => (typeof member === 'string' && member !== '' ? member : fallback)
  return { apiVersion: text(value.apiVersion, expected.apiVersion), kind: text(value.kind, expected.kind) }
}

function checkKind(given: GivenKind, expected: ExpectedKind, registry: Registry, value: unknown): void {
  if (given.apiVersion === expected.apiVersion && given.kind === expected.kind) return
  if (expected.schema.source) throw wrongCustomKind(given, expected, value)
  const title = `${given.kind} in version ${JSON.stringify(versionOf(given.apiVersion))} cannot be handled as a ${expected.kind}`
  const known = isKnown(given, registry)
  if (!known) {
    const scheme = 'pkg/api/legacyscheme/scheme.go:30'
    throw badRequest(
      `${title}: no kind ${JSON.stringify(given.kind)} is registered for version ${JSON.stringify(given.apiVersion)} in scheme "${scheme}"`,
    )
  }
  if (given.apiVersion !== expected.apiVersion) throw wrongVersion(given, expected)
  checkAs(given, value, title)
  const from = `${versionOf(given.apiVersion)}.${given.kind}`
  throw badRequest(
    `${title}: converting (${from}) to (${internalGroup(expected.apiVersion)}.${expected.kind}): unknown conversion`,
  )
}

/** Custom resources are read without looking at their kind, which is then found to be invalid. */
function wrongCustomKind(given: GivenKind, expected: ExpectedKind, value: unknown): StatusError {
  if (given.apiVersion !== expected.apiVersion) return wrongVersion(given, expected)
  const [group] = splitApiVersion(expected.apiVersion)
  const { metadata } = value as { metadata?: { name?: unknown } }
  const name = typeof metadata?.name === 'string' ? metadata.name : ''
  return invalid({ group, kind: given.kind }, name, [invalidValue('kind', given.kind, `must be ${expected.kind}`)])
}

function wrongVersion(given: GivenKind, expected: ExpectedKind): StatusError {
  return badRequest(
    `the API version in the data (${given.apiVersion}) does not match the expected API version (${expected.apiVersion})`,
  )
}

/** A body of another kind is decoded as that kind first: what is wrong with it there comes before that it is the wrong kind. */
function checkAs(given: GivenKind, value: unknown, title: string): void {
  const [group, version] = splitApiVersion(given.apiVersion)
  const schema = kindSchema(group, version, given.kind)
  if (!schema) return
  try {
    decode(schema, copyJson(value))
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`${title}: ${error.message}`)
    throw error
  }
}

/** Whether Kubernetes' scheme would know the kind. Its old beta versions are known there although they are not served. */
function isKnown({ apiVersion, kind }: GivenKind, registry: Registry): boolean {
  const [group, version] = splitApiVersion(apiVersion)
  if (registry.lookupKind(apiVersion, kind) || kindSchema(group, version, kind)) return true
  return /(alpha|beta)\d+$/.test(version) && registry.servesKind(group, kind)
}

/** `apps/v1` as group and version. */
export function splitApiVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
}

function versionOf(apiVersion: string): string {
  return splitApiVersion(apiVersion)[1]
}

function internalGroup(apiVersion: string): string {
  return splitApiVersion(apiVersion)[0].split('.')[0] || 'core'
}
