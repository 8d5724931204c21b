/** Whether the server behind an APIService is there: first what the cluster says of its Service, then what it answers itself. */
import { text } from 'node:stream/consumers'
import type { APIService, APIServiceCondition, EndpointSlice, Service } from '../../api/types.ts'
import type { KeyPair } from '../auth/certificates.ts'
import type { Core } from '../core.ts'
import { callOutside } from './call.ts'
import type { OutsideResource } from './outside.ts'

/** How long a server outside has to say that it is there. */
const CHECK_TIMEOUT_MS = 5_000
export const CHECKER = { name: 'system:kube-aggregator', groups: ['system:masters', 'system:authenticated'] }

export type Verdict = Pick<APIServiceCondition, 'status' | 'reason' | 'message'>

const refused = (reason: string, message: string): Verdict => ({ status: 'False', reason, message })

/** What speaks against it without asking; undefined when nothing does. Pure but for the reader. */
export function obstacle({ reader }: Pick<Core, 'reader'>, { spec }: APIService): Verdict | undefined {
  const { namespace = '', name = '', port = 443 } = spec?.service ?? {}
  const where = `service/${name} in ${JSON.stringify(namespace)}`
  const service = reader.get('', 'services', namespace, name) as Service | undefined
  if (!service) return refused('ServiceNotFound', `${where} is not present`)
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined
  const found = service.spec?.ports?.find((one) => one.port === port)
  if (!found) return refused('ServicePortError', `${where} is not listening on port ${port}`)
  const slices = (reader.list('discovery.k8s.io', 'endpointslices', namespace) as readonly EndpointSlice[]).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name,
  )
  if (slices.length === 0) return refused('EndpointsNotFound', `cannot find endpointslices for ${where}`)
  const portName = found.name ?? ''
  const isReady = ({ endpoints, ports }: EndpointSlice) =>
    endpoints?.some(({ conditions }) => conditions?.ready !== false) &&
    ports?.some((one) => (one.name ?? '') === portName && one.port)
  if (slices.some(isReady)) return undefined
  return refused('MissingEndpoints', `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`)
}

/** Asks the server for its list of resources. Never rejects. */
export async function askAvailable(
  core: Core,
  identity: KeyPair,
  service: APIService,
): Promise<{ verdict: Verdict; resources?: readonly OutsideResource[] }> {
  const { group, version, service: reference } = service.spec ?? {}
  const path = `/apis/${group}/${version}`
  const deadline = new AbortController()
  const late = () => deadline.abort(new Error('context deadline exceeded'))
  const cancel = core.clock.after(CHECK_TIMEOUT_MS, late, { unref: true })
  try {
    const answer = await callOutside(core, service, identity, {
      ...{ method: 'GET', path, headers: { accept: 'application/json' }, body: undefined, user: CHECKER },
      signal: AbortSignal.any([deadline.signal, core.closing]),
    })
    const body = await text(answer)
    const code = answer.statusCode ?? 0
    if (code < 200 || code >= 300) throw new Error(`bad status from ${urlOf(reference, path)}: ${code}`)
    const { resources = [] } = JSON.parse(body) as { resources?: OutsideResource[] }
    return { verdict: { status: 'True', reason: 'Passed', message: 'all checks passed' }, resources }
  } catch (error) {
    const why = `failing or missing response from ${urlOf(reference, path)}: ${(error as Error).message}`
    return { verdict: refused('FailedDiscoveryCheck', why) }
  } finally {
    cancel()
  }
}

function urlOf(service: NonNullable<APIService['spec']>['service'], path: string): string {
  return `https://${service?.name}.${service?.namespace}.svc:${service?.port ?? 443}${path}`
}
