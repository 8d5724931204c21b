/** `skiff extend serve`: the extensions beside a cluster that is not skiff's, as a webhook and the reconcilers behind it. */
import { createPrivateKey, randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { systemClock } from '../base/clock.ts'
import { createLog, type LogLevel } from '../base/log.ts'
import type { ExtendOptions, ExtendReport } from '../cli/host.ts'
import { CommandError, type Io } from '../cli/io.ts'
import { createClient } from '../client/create-client.ts'
import { createHttpTransport } from '../client/http.ts'
import { loadKubeconfig } from '../client/kubeconfig.ts'
import { builtinExtensions } from '../extend/index.ts'
import { nodeOnly } from '../extend/serve/node-only.ts'
import { register, unregister, type WebhookPlace, webhookConfiguration } from '../extend/serve/registration.ts'
import { serveWebhook } from '../extend/serve/webhook-server.ts'
import { connectOnHost } from '../network/connect.ts'
import { createEventRecorder } from '../reconcile/recorder.ts'
import { createRunner } from '../reconcile/runner.ts'
import { issueCertificate, type KeyPair } from '../server/auth/certificates.ts'
import { createInformers } from '../watch/informers.ts'

const DAY_MS = 24 * 60 * 60_000
/** Made anew at every start, so that none runs out while the program runs. */
const CERTIFICATE_DAYS = 3650
const DEFAULT_NAMESPACE = 'skiff-system'

/** Runs until interrupted. Without a Service the registration goes with the program: nothing would answer any more. */
export async function serveExtensions(options: ExtendOptions, io: Io, ready: (report: ExtendReport) => void): Promise<number> {
  const log = createLog({ write: (line) => io.stderr.write(line), level: (io.env.SKIFF_LOG as LogLevel | undefined) ?? 'warn' })
  const access = await loadKubeconfig({ kubeconfig: options.kubeconfig, context: options.context, env: io.env })
  const client = createClient(createHttpTransport(access))
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  const informers = createInformers({ client, clock: systemClock, log, signal: stopping.signal })
  const context = { client, informers, clock: systemClock, log: log.named('extensions'), connect: connectOnHost }
  const extensions = builtinExtensions({ pinImages: options.pinImages })
  const plugins = [...extensions.flatMap((extension) => extension.admission?.(context) ?? []), nodeOnly]
  const reconcilers = extensions.flatMap((extension) => extension.reconcilers?.(context) ?? [])
  const { authority, serving } = certificates(namesOf(options))
  const recorder = createEventRecorder({ client, clock: systemClock, log, instance: 'skiff-extensions' })
  const runner = createRunner({ client, clock: systemClock, log, reconcilers, informers, recorder })
  const webhook = await serveWebhook({
    plugins,
    ...serving,
    host: options.host,
    port: options.port,
    log: log.named('webhook'),
  }).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EADDRINUSE' ? 'another process listens there; --port takes another' : error.message
    throw new CommandError(`cannot listen on ${options.host}:${options.port}: ${why}`, 1, { cause: error })
  })
  try {
    await runner.start()
    const place: WebhookPlace = options.service
      ? { service: options.service }
      : { url: `https://${urlHost(options.host)}:${webhook.port}/` }
    await register(client, webhookConfiguration(place, authority.certificate, options.service?.namespace ?? DEFAULT_NAMESPACE))
    ready({ server: access.server, port: webhook.port })
    if (!io.signal.aborted)
      await new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }))
    if (!options.service) await unregister(client)
  } finally {
    await runner.stop()
    stopping.abort(new Error('the extensions are stopping'))
    await webhook.close()
    client.transport.close()
  }
  return 0
}

function namesOf({ service, host }: ExtendOptions): string[] {
  return service ? [`${service.name}.${service.namespace}.svc`, `${service.name}.${service.namespace}.svc.cluster.local`] : [host]
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

function certificates(names: readonly string[]): { authority: KeyPair; serving: KeyPair } {
  const nowMs = systemClock.now()
  const span = { notBefore: new Date(nowMs - DAY_MS), notAfter: new Date(nowMs + CERTIFICATE_DAYS * DAY_MS), random: randomBytes }
  const commonName = 'skiff-extensions-ca'
  const authority = issueCertificate({ commonName, usage: 'authority', ...span })
  const issuer = { commonName, privateKey: createPrivateKey(authority.key) }
  const serving = issueCertificate({ commonName: names[0] ?? 'skiff-extensions', names, usage: 'server', ...span }, issuer)
  return { authority, serving }
}
