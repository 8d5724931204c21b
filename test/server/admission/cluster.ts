/** The API server's verbs with all admission plugins over a memory store, reached through the in-process door. */
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import type { KubeObject } from '../../../src/api/object.ts'
import { StatusError } from '../../../src/api/status.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { type AdmissionOptions, admissionPlugins } from '../../../src/server/admission/plugins.ts'
import { OutsideVersions } from '../../../src/server/aggregation/outside.ts'
import { createAuth } from '../../../src/server/auth/auth.ts'
import { ensureBootstrap } from '../../../src/server/bootstrap/bootstrap.ts'
import type { UserInfo } from '../../../src/server/contract.ts'
import type { Core } from '../../../src/server/core.ts'
import { FlowControl } from '../../../src/server/fairness/flow-control.ts'
import { createInProcessDoor } from '../../../src/server/in-process.ts'
import { Metrics } from '../../../src/server/metrics.ts'
import { NodeConnections } from '../../../src/server/node-connections.ts'
import { createReader } from '../../../src/server/reader.ts'
import { Registry } from '../../../src/server/registry.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { random } from '../auth/objects.ts'

export const admin: UserInfo = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

export interface Answer {
  status: number
  object: KubeObject
  warnings: readonly string[]
}

export type TestCluster = Awaited<ReturnType<typeof createCluster>>

/** With a namespace `ns` and its default service account. */
export async function createCluster(options: Partial<AdmissionOptions> = {}) {
  const store = createMemoryStore()
  const registry = new Registry(builtinDefinitions)
  const reader = createReader(store)
  const closing = new AbortController()
  const sources = { store, reader, clock: systemClock, random }
  const auth = await createAuth(sources)
  const admission = admissionPlugins({
    ...sources,
    signal: closing.signal,
    asks: (question) => auth.authorizer.authorize(question).allowed,
    definitionOf: (apiVersion, kind) => registry.lookupKind(apiVersion, kind)?.definition,
    ...options,
  })
  const core: Core = {
    ...sources,
    registry,
    log: silentLog,
    authorizer: auth.authorizer,
    admission: [...admission, auth.escalation],
    nodes: new NodeConnections(),
    metrics: new Metrics(),
    fairness: new FlowControl({ reader, clock: systemClock }),
    questions: new Map(Object.entries(auth.reviews)),
    createToken: auth.createToken,
    outside: { versions: new OutsideVersions() },
    closing: closing.signal,
  }
  await ensureBootstrap({ ...sources, registry, caCertificate: auth.pki.caCertificate })

  /** Never throws for a failure Status: it is the answer. */
  async function call(method: string, path: string, body?: object, user = admin): Promise<Answer> {
    const [bare = '', search = ''] = path.split('?')
    const query = Object.fromEntries(new URLSearchParams(search))
    const headers = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}
    try {
      const door = createInProcessDoor(core, user)
      const answer = await door.request({ method, path: bare, query, headers, ...(body && { body: structuredClone(body) }) })
      return { status: answer.status, object: answer.object as KubeObject, warnings: answer.warnings }
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      return { status: error.code, object: error.status as unknown as KubeObject, warnings: [] }
    }
  }
  const post = (path: string, body: object, user?: UserInfo) => call('POST', path, body, user)
  await post('/api/v1/namespaces', { metadata: { name: 'ns' }, spec: { finalizers: ['kubernetes'] } })
  await post('/api/v1/namespaces/ns/serviceaccounts', { metadata: { name: 'default' } })
  return { store, reader, auth, call, post, close: () => closing.abort() }
}

export function podOf(name: string, spec: object = {}, container: object = {}): object {
  return { metadata: { name }, spec: { containers: [{ name: 'c', image: 'img:1', ...container }], ...spec } }
}

export const PODS = '/api/v1/namespaces/ns/pods'
