/** `/healthz`, `/livez`, `/readyz`: is the server alive, and may it be asked things. */
import type { Core } from '../core.ts'
import { type Answer, type ApiRequest, textAnswer } from '../request/request.ts'

/** By name; each says whether it holds. */
const CHECKS: Record<string, (core: Core) => boolean> = {
  ping: () => true,
  store: ({ store }) => store.revision > 0,
  shutdown: ({ closing }) => !closing.aborted,
}

const ROOTS = new Set(['/healthz', '/livez', '/readyz'])

/** Undefined when the path is none of these. */
export function serveHealth(core: Core, request: ApiRequest, path: string): Answer | undefined {
  const slash = path.indexOf('/', 1)
  const root = slash < 0 ? path : path.slice(0, slash)
  if (!ROOTS.has(root)) return undefined
  if (slash < 0) return all(core, request, root.slice(1))
  const check = CHECKS[path.slice(slash + 1)]
  if (!check) return undefined
  return check(core) ? textAnswer(200, 'ok') : textAnswer(500, 'internal server error: check failed\n')
}

function all(core: Core, request: ApiRequest, name: string): Answer {
  const excluded = new Set(request.query.all('exclude'))
  const results = Object.entries(CHECKS).map(([check, holds]) => ({ check, ok: excluded.has(check) || holds(core) }))
  const healthy = results.every(({ ok }) => ok)
  if (healthy && !request.query.has('verbose')) return textAnswer(200, 'ok')
  const lines = results.map(({ check, ok }) => {
    if (excluded.has(check)) return `[+]${check} excluded: ok`
    return ok ? `[+]${check} ok` : `[-]${check} failed: reason withheld`
  })
  return textAnswer(healthy ? 200 : 500, `${[...lines, `${name} check ${healthy ? 'passed' : 'failed'}`].join('\n')}\n`)
}
