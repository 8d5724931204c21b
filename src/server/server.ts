/** Puts the API server together: keys and users, admission, the verbs, and the two doors to them. */

import { setMaxListeners } from 'node:events'
import type { VolumeProjection } from '../api/types.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { AdmissionPlugin } from './admission/contract.ts'
import { admissionPlugins } from './admission/plugins.ts'
import { followApiServices } from './aggregation/follow.ts'
import { OutsideVersions } from './aggregation/outside.ts'
import type { Audit } from './audit/audit.ts'
import type { AuditLog } from './audit/log-file.ts'
import type { AuditPolicy } from './audit/policy.ts'
import { createAuth } from './auth/auth.ts'
import { ensureBootstrap, publishEndpoint } from './bootstrap/bootstrap.ts'
import type { ApiServer, ApiServerOptions, UserInfo } from './contract.ts'
import type { Core } from './core.ts'
import { followCustomResources } from './custom/follow.ts'
import { dynamicAdmission } from './dynamic/plugins.ts'
import { keepDangling } from './fairness/dangling.ts'
import { FlowControl } from './fairness/flow-control.ts'
import { createInProcessDoor } from './in-process.ts'
import { Metrics } from './metrics.ts'
import { createNameIndex } from './names/name-index.ts'
import { createNameReview } from './names/name-review.ts'
import { NodeConnections } from './node-connections.ts'
import { pooledRandomBytes } from './objects/random.ts'
import { createReader } from './reader.ts'
import { Registry } from './registry.ts'

export interface ServerOptions extends ApiServerOptions {
  /** Admission that runs after the built-in mutators: extensions. */
  admission?: readonly AdmissionPlugin[]
  /** What the token volumes of pods carry besides token, CA and namespace. */
  extraTokenSources?: readonly VolumeProjection[]
  /** What is written down of requests that come over HTTP, and where. */
  audit?: { policy: AuditPolicy; log: (log: Log) => AuditLog }
  /** Bearer tokens that stand for a user as they are. */
  staticTokens?: ReadonlyMap<string, UserInfo>
}

/** The name by which servers outside know this one; they find it in a ConfigMap. */
const FRONT_PROXY = 'front-proxy-client'
/** What the server writes of its own accord, it writes as Kubernetes' does. */
const ITSELF = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

/** Resolves when the store holds what every cluster has. Rejects when keys or bootstrap objects cannot be made. */
export async function createApiServer(options: ServerOptions): Promise<ApiServer> {
  const { store, clock, log } = options
  const random = options.random ?? pooledRandomBytes
  const registry = new Registry(options.definitions)
  const reader = createReader(store)
  const closing = new AbortController()
  // Every watch and stream listens for the end of the server.
  setMaxListeners(0, closing.signal)
  const auth = await createAuth({
    reader,
    clock,
    random,
    ...given(options, ['pkiDirectory', 'certificateNames', 'serviceCidr', 'staticTokens']),
  })
  const nodes = new NodeConnections()
  const outside = { reader, registry, nodes, clock, log, random, authorizer: auth.authorizer, closing: closing.signal }
  const admission = admissionPlugins({
    ...{ reader, store, clock, random, signal: closing.signal },
    asks: (question) => auth.authorizer.authorize(question).allowed,
    definitionOf: (apiVersion, kind) => registry.lookupKind(apiVersion, kind)?.definition,
    ...given(options, ['serviceCidr', 'nodePorts', 'extraTokenSources']),
    extra: [...(options.admission ?? []), ...dynamicAdmission(outside)],
  })
  const audit = options.audit && (await startAudit(options.audit, { clock, log, random }))
  const fairness = new FlowControl({ reader, clock })
  let url = 'https://kubernetes.default.svc'
  const core: Core = {
    store,
    registry,
    reader,
    clock,
    log,
    random,
    authorizer: auth.authorizer,
    admission: [...admission, auth.escalation],
    nodes,
    metrics: new Metrics(),
    fairness,
    ...(audit && { audit: audit.audit }),
    questions: new Map([
      ...Object.entries(auth.reviews),
      ['namereviews', createNameReview(createNameIndex(store, registry), auth.authorizer)],
    ]),
    createToken: auth.createToken,
    openId: { configuration: () => auth.openIdConfiguration(url), keySet: auth.keySet },
    outside: { versions: new OutsideVersions() },
    closing: closing.signal,
  }
  const bootstrap = { store, registry, clock, random, ...given(options, ['serviceCidr']) }
  await ensureBootstrap({ ...bootstrap, caCertificate: auth.pki.caCertificate })
  await followCustomResources(core)
  const door = createInProcessDoor(core, ITSELF)
  keepDangling(core, door)
  followApiServices(core, () => auth.pki.issueClientCertificate(FRONT_PROXY, []), door)
  let closeListener: (() => Promise<void>) | undefined
  return {
    inProcess: (user) => createInProcessDoor(core, user),
    async listen(place) {
      const { listen } = await import('./http/listener.ts')
      const listener = await listen(core, auth, place)
      closeListener = listener.close
      url = listener.url
      await publishEndpoint(bootstrap, { address: place.host, port: listener.port })
      return { url: listener.url, port: listener.port }
    },
    caCertificate: auth.pki.caCertificate,
    issueClientCertificate: async (user, groups) => auth.pki.issueClientCertificate(user, groups),
    signCertificate: (request) => auth.pki.sign(request),
    connectNode: (name, streams) => core.nodes.connect(name, streams),
    async close() {
      closing.abort(new Error('the API server is closing'))
      await closeListener?.()
      fairness.stop()
      await audit?.close()
      auth.stop()
    },
  }
}

async function startAudit(
  { policy, log: open }: NonNullable<ServerOptions['audit']>,
  { clock, log, random }: { clock: Clock; log: Log; random: (bytes: number) => Buffer },
): Promise<{ audit: Audit; close: () => Promise<void> }> {
  const { Audit } = await import('./audit/audit.ts')
  const { sink, close } = open(log)
  return { audit: new Audit({ policy, sink, clock, random }), close }
}

/** The named options, without those that are absent. */
function given<K extends keyof ServerOptions>(options: ServerOptions, names: readonly K[]): Partial<Pick<ServerOptions, K>> {
  const picked: Partial<Pick<ServerOptions, K>> = {}
  for (const name of names) if (options[name] !== undefined) picked[name] = options[name]
  return picked
}
