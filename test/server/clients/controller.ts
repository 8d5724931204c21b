/**
 * A controller as people write one with the JavaScript client: of several instances one leads, by a Lease, and it keeps for every
 * ConfigMap that asks for it a Secret with the same keys in capitals.
 */
import {
  type ApiException,
  CoordinationV1Api,
  CoreV1Api,
  type Informer,
  type KubeConfig,
  makeInformer,
  type V1ConfigMap,
  type V1Lease,
  V1MicroTime,
  type V1Secret,
} from '@kubernetes/client-node'

const NAMESPACE = 'default'
const LEASE = 'mirror'
const DURATION_SECONDS = 1
const RENEW_MS = 200

export interface Controller {
  leads(): boolean
  /** Whatever went wrong in the background. */
  errors: unknown[]
  /** Ends without giving the lease back, as a crash does. */
  stop(): Promise<void>
}

export function startController(config: KubeConfig, identity: string): Controller {
  const leases = config.makeApiClient(CoordinationV1Api)
  const core = config.makeApiClient(CoreV1Api)
  const errors: unknown[] = []
  const note = (error: unknown) => {
    errors.push(error)
  }
  let informer: Informer<V1ConfigMap> | undefined
  const tick = async () => {
    const leads = await acquire(leases, identity)
    if (leads && !informer) {
      informer = mirror(config, core, note)
      await informer.start()
    } else if (!leads) await resign()
  }
  const resign = async () => {
    await informer?.stop()
    informer = undefined
  }
  let last = Promise.resolve()
  const timer = setInterval(() => {
    last = last.then(tick).catch(note)
  }, RENEW_MS)
  return {
    ...{ errors, leads: () => informer !== undefined },
    stop: async () => {
      clearInterval(timer)
      await last
      await resign()
    },
  }
}

/** Takes or renews the lease; whoever loses the race for it is told so by a conflict. */
async function acquire(leases: CoordinationV1Api, identity: string): Promise<boolean> {
  const now = new V1MicroTime(Date.now())
  const held = { holderIdentity: identity, leaseDurationSeconds: DURATION_SECONDS, acquireTime: now, renewTime: now }
  try {
    const lease = await readLease(leases)
    if (!lease) {
      const body = { metadata: { name: LEASE }, spec: { ...held, leaseTransitions: 0 } }
      await leases.createNamespacedLease({ namespace: NAMESPACE, body })
      return true
    }
    const mine = lease.spec?.holderIdentity === identity
    const renewed = timeOf(lease.spec?.renewTime).getTime()
    if (!mine && Date.now() < renewed + DURATION_SECONDS * 1000) return false
    const transitions = (lease.spec?.leaseTransitions ?? 0) + (mine ? 0 : 1)
    const spec = mine
      ? { ...lease.spec, acquireTime: timeOf(lease.spec?.acquireTime), renewTime: now }
      : { ...held, leaseTransitions: transitions }
    await leases.replaceNamespacedLease({ name: LEASE, namespace: NAMESPACE, body: { ...lease, spec } })
    return true
  } catch (error) {
    if (codeOf(error) === 409) return false
    throw error
  }
}

const readLease = (leases: CoordinationV1Api): Promise<V1Lease | undefined> =>
  leases.readNamespacedLease({ name: LEASE, namespace: NAMESPACE }).catch((error) => {
    if (codeOf(error) === 404) return undefined
    throw error
  })

/** The client reads such a time as text, whatever its type says. */
const timeOf = (time: V1MicroTime | undefined) => new V1MicroTime(time ?? 0)

const codeOf = (error: unknown) => (error as ApiException<string>).code

function mirror(config: KubeConfig, core: CoreV1Api, note: (error: unknown) => void): Informer<V1ConfigMap> {
  const labelSelector = 'mirror=yes'
  const list = () => core.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector })
  const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${NAMESPACE}/configmaps`, list, labelSelector)
  const wanted = (configMap: V1ConfigMap) => reconcile(core, configMap).catch(note)
  informer.on('add', wanted)
  informer.on('update', wanted)
  // A watch that is stopped ends as an aborted request.
  informer.on('error', (error) => error?.name !== 'AbortError' && note(error))
  return informer
}

async function reconcile(core: CoreV1Api, { metadata, data = {} }: V1ConfigMap): Promise<void> {
  const { name = '', uid = '' } = metadata ?? {}
  const stringData = Object.fromEntries(Object.entries(data).map(([key, value]) => [key.toUpperCase(), value]))
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid, controller: true }]
  const body: V1Secret = { metadata: { name, namespace: NAMESPACE, ownerReferences }, stringData }
  try {
    await core.createNamespacedSecret({ namespace: NAMESPACE, body })
  } catch (error) {
    if (codeOf(error) !== 409) throw error
    await core.replaceNamespacedSecret({ name, namespace: NAMESPACE, body })
  }
}
