/** Starts a real API server on a memory store, for tests. */
import type { ResourceDefinition } from '../../src/api/definition.ts'
import { builtinDefinitions } from '../../src/api/definitions.ts'
import type { KubeObject } from '../../src/api/object.ts'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { createLog } from '../../src/base/log.ts'
import type { ApiServer, DoorResponse, InProcessDoor } from '../../src/server/contract.ts'
import { createApiServer, type ServerOptions } from '../../src/server/server.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Encode, Store } from '../../src/store/store.ts'

export const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

export interface TestServer {
  server: ApiServer
  store: Store
  /** As a member of system:masters. */
  admin: InProcessDoor
  /** One request as the admin; the answer's object. */
  call<T = KubeObject>(method: string, path: string, body?: object, more?: CallOptions): Promise<T>
  respond(method: string, path: string, body?: object, more?: CallOptions): Promise<DoorResponse>
  close(): Promise<void>
}

export interface CallOptions {
  query?: Record<string, string>
  headers?: Record<string, string>
}

export const PATCH_TYPES = {
  json: { headers: { 'content-type': 'application/json-patch+json' } },
  merge: { headers: { 'content-type': 'application/merge-patch+json' } },
  strategic: { headers: { 'content-type': 'application/strategic-merge-patch+json' } },
  apply: { headers: { 'content-type': 'application/apply-patch+yaml' } },
}

/** Lines of the log at warning level and above fail nothing, but are printed. */
export async function startServer(
  options: { clock?: Clock; definitions?: readonly ResourceDefinition[]; more?: Partial<ServerOptions> } = {},
): Promise<TestServer> {
  const store = freezing(createMemoryStore())
  const log = createLog({ write: (line) => process.stderr.write(line), level: 'warn' })
  const { clock = systemClock, definitions = builtinDefinitions } = options
  const server = await createApiServer({ store, definitions, clock, log, ...options.more })
  const admin = server.inProcess(ADMIN)
  const respond: TestServer['respond'] = (method, path, body, more) =>
    admin.request({ method, path, ...(body && { body }), ...more })
  return {
    server,
    store,
    admin,
    respond,
    call: async (method, path, body, more) => (await respond(method, path, body, more)).object as never,
    close: async () => {
      await server.close()
      await store.close()
    },
  }
}

/** What is stored is shared: whoever edits it fails here. */
function freezing(store: Store): Store {
  const frozen =
    (encode: Encode): Encode =>
    (revision) => {
      const encoded = encode(revision)
      freeze(encoded.decoded)
      return encoded
    }
  return {
    get revision() {
      return store.revision
    },
    get compactedRevision() {
      return store.compactedRevision
    },
    get: (key) => store.get(key),
    list: (prefix, options) => store.list(prefix, options),
    create: (key, encode) => store.create(key, frozen(encode)),
    update: (key, expected, encode) => store.update(key, expected, frozen(encode)),
    delete: (key, expected, encode) => store.delete(key, expected, frozen(encode)),
    watch: (prefix, after, listener) => store.watch(prefix, after, listener),
    compact: (revision) => store.compact(revision),
    close: () => store.close(),
  }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const member of Object.values(value)) freeze(member)
}
