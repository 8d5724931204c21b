/** Everything that is served outside resources: discovery, OpenAPI, version, health, metrics. */
import type { Core } from '../core.ts'
import { type Answer, type ApiRequest, textAnswer } from '../request/request.ts'

export async function servePath(_core: Core, _request: ApiRequest, path: string): Promise<Answer> {
  return missingPage(path)
}

/** What Go's mux answers for a path nobody registered. */
export function missingPage(_path: string): Answer {
  return textAnswer(404, '404 page not found\n')
}
