/** The admission plugins of the server, in the order they run: those that Kubernetes has on by default, and a few it recommends. */
import type { ResourceDefinition } from '../../api/definition.ts'
import type { VolumeProjection } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { Store } from '../../store/store.ts'
import {
  certificateApproval,
  certificateRequester,
  certificateSigning,
  certificateSubjectRestriction,
} from './certificate-requests.ts'
import type { AdmissionPlugin, Asks, ObjectReader } from './contract.ts'
import { defaultIngressClass } from './ingress-class.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { taintNodesByCondition } from './node-taints.ts'
import { ownerReferencesPermissionEnforcement } from './owner-references.ts'
import { podSecurity } from './pod-security/pod-security.ts'
import { priority } from './priority.ts'
import { resourceQuota } from './quota/resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { serviceAllocation } from './services/allocation.ts'
import { defaultStorageClass, persistentVolumeClaimResize, storageObjectInUseProtection } from './storage.ts'
import { defaultTolerationSeconds } from './tolerations.ts'

export interface AdmissionOptions {
  reader: ObjectReader
  /** ResourceQuota writes what is used into the quotas' status. */
  store: Store
  clock: Clock
  random: (bytes: number) => Buffer
  /** Ends the following of objects. */
  signal: AbortSignal
  /** Whether a user may do something; see `Authorizer`. */
  asks: Asks
  /** The resource of an apiVersion and kind, as it is served now. */
  definitionOf: (apiVersion: string, kind: string) => ResourceDefinition | undefined
  /** Default 10.96.0.0/16. */
  serviceCidr?: string
  /** Default 30000-32767. */
  nodePorts?: { from: number; to: number }
  /** Sources that pods' token volumes get besides token, CA and namespace. */
  extraTokenSources?: readonly VolumeProjection[]
  /** Run between the built-in mutators and the quota: webhooks, policies, extensions. */
  extra?: readonly AdmissionPlugin[]
}

/** Plugins hold indexes of what they watch: made once for a server, after the store is open. */
export function admissionPlugins(options: AdmissionOptions): AdmissionPlugin[] {
  const { reader, signal, asks } = options
  return [
    namespaceLifecycle(reader),
    limitRanger(reader, signal),
    serviceAccount(options),
    nodeRestriction(reader),
    taintNodesByCondition,
    podSecurity(reader),
    priority(reader, signal),
    defaultTolerationSeconds,
    defaultStorageClass(reader),
    storageObjectInUseProtection,
    ownerReferencesPermissionEnforcement(asks, options.definitionOf),
    persistentVolumeClaimResize(reader),
    runtimeClass(reader),
    certificateRequester,
    certificateApproval(asks),
    certificateSigning(asks),
    certificateSubjectRestriction,
    defaultIngressClass(reader),
    ...(options.extra ?? []),
    // Last, for they take what is limited or unique.
    resourceQuota(options),
    serviceAllocation(options),
  ]
}
