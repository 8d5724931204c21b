/** The body of an apply: YAML (or JSON, which is YAML), one object. */
import { DecodeError } from '../../api/schema/decode.ts'
import { badRequest } from '../../api/status.ts'
import { parseYaml } from '../request/body.ts'
import type { ApiRequest } from '../request/request.ts'

/** The parsed configuration, null for an empty body. Throws a 400. */
export async function readConfiguration(request: ApiRequest): Promise<unknown> {
  const body = await request.body()
  if (body !== undefined && !(body instanceof Uint8Array)) return body
  const text = Buffer.from(body ?? []).toString()
  try {
    if (text.startsWith('{')) return parseJsonOr(text)
    return (await parseYaml(text, false)).value
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`error decoding YAML: ${error.message}`)
    throw error
  }
}

/** Most clients send JSON, which parses much faster than YAML; what is no JSON may still be YAML's flow style. */
async function parseJsonOr(text: string): Promise<unknown> {
  try {
    return JSON.parse(text)
  } catch {
    return (await parseYaml(text, false)).value
  }
}
