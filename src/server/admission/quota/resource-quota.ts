/**
 * ResourceQuota: a namespace's objects use no more than its quotas say. Books into the quotas' `status.used`, as Kubernetes does;
 * a controller corrects that status by what is really there, and makes quotas take effect by setting `status.hard`.
 */
import type { KubeObject } from '../../../api/object.ts'
import type { Amounts } from '../../../api/quota/pod-totals.ts'
import { isInScope } from '../../../api/quota/scopes.ts'
import { difference, unstated, usageOf } from '../../../api/quota/usage.ts'
import type { Pod, ResourceQuota } from '../../../api/types.ts'
import type { Store } from '../../../store/store.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../contract.ts'
import { followByNamespace } from '../followed.ts'
import { refused } from '../refusal.ts'
import { QuotaLedger } from './ledger.ts'

export interface ResourceQuotaOptions {
  reader: ObjectReader
  store: Store
  signal: AbortSignal
}

/** Only these use something else after an update than before. */
const CHANGING = new Set(['services', 'persistentvolumeclaims'])

interface Booked {
  quota: ResourceQuota
  delta: Amounts
}

export function resourceQuota({ reader, store, signal }: ResourceQuotaOptions): AdmissionPlugin {
  const quotasIn = followByNamespace(reader, '', 'resourcequotas', signal)
  const ledger = new QuotaLedger(store)
  const booked = new WeakMap<AdmissionRequest, Booked[]>()
  const unbook = (done: readonly Booked[]) => {
    for (const { quota, delta } of done) {
      // Too much booked is set right by the controller; that it failed is seen by whoever books next.
      ledger.book(quota.metadata.namespace ?? '', quota.metadata.name ?? '', difference(new Map(), delta)).catch(() => undefined)
    }
  }
  return {
    name: 'ResourceQuota',
    handles: (request) => request.namespace !== '' && isCounted(request) && quotasIn(request.namespace).length > 0,
    async validate(request) {
      const done: Booked[] = []
      booked.set(request, done)
      try {
        for (const quota of quotasIn(request.namespace)) await apply(request, quota as ResourceQuota, ledger, done)
      } catch (error) {
        unbook(done)
        throw error
      }
    },
    release: (request) => unbook(booked.get(request) ?? []),
  }
}

function isCounted({ operation, definition, subresource }: AdmissionRequest): boolean {
  if (subresource !== '') return operation === 'UPDATE' && definition.plural === 'pods' && subresource === 'resize'
  return operation === 'CREATE' || (operation === 'UPDATE' && definition.group === '' && CHANGING.has(definition.plural))
}

async function apply(request: AdmissionRequest, quota: ResourceQuota, ledger: QuotaLedger, done: Booked[]): Promise<void> {
  const { object, old, definition } = request
  const hard = quota.status?.hard
  if (!object || !hard || !isInScope(quota, definition, object)) return
  const after = masked(usageOf(definition, object), hard)
  const isPod = definition.group === '' && definition.plural === 'pods'
  const silence = isPod && (object as Pod).spec ? unstated((object as KubeObject & Pod).spec!, Object.keys(hard)) : undefined
  if (silence) throw refused(request, `failed quota: ${quota.metadata.name}: ${silence}`)
  const delta = difference(after, old ? masked(usageOf(definition, old), hard) : new Map())
  if (delta.size === 0) return
  const unknown = [...delta.keys()].filter((name) => quota.status?.used?.[name] === undefined).sort()
  if (unknown.length > 0)
    throw refused(request, `status unknown for quota: ${quota.metadata.name}, resources: ${unknown.join(',')}`)
  const excess = request.dryRun
    ? ledger.check(quota, delta)
    : await ledger.book(quota.metadata.namespace ?? '', quota.metadata.name ?? '', delta)
  if (excess) throw refused(request, excess)
  if (!request.dryRun) done.push({ quota, delta })
}

/** What the quota limits of it. */
function masked(usage: Amounts, hard: Readonly<Record<string, string>>): Amounts {
  return new Map([...usage].filter(([name]) => hard[name] !== undefined))
}
