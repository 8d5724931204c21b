/** What every verb works with: made once by `createApiServer`, passed down, never global. */
import type { KubeObject } from '../api/object.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Store } from '../store/store.ts'
import type { AdmissionPlugin, ObjectReader } from './admission/contract.ts'
import type { OutsideVersion, OutsideVersions } from './aggregation/outside.ts'
import type { Audit } from './audit/audit.ts'
import type { Authorizer } from './auth/contract.ts'
import type { Caller } from './callout/splice.ts'
import type { UserInfo } from './contract.ts'
import type { FlowControl } from './fairness/flow-control.ts'
import type { Metrics } from './metrics.ts'
import type { NodeConnections } from './node-connections.ts'
import type { Registry } from './registry.ts'
import type { Answer, ApiRequest } from './request/request.ts'

export interface Core {
  readonly store: Store
  readonly registry: Registry
  readonly reader: ObjectReader
  readonly clock: Clock
  readonly log: Log
  readonly random: (bytes: number) => Buffer
  readonly authorizer: Authorizer
  /** In the order they run. */
  readonly admission: readonly AdmissionPlugin[]
  readonly nodes: NodeConnections
  readonly metrics: Metrics
  /** Absent: nothing is written down. */
  readonly audit?: Audit
  /** Who waits for whom. */
  readonly fairness: FlowControl
  /** Resources that are answered at once and never stored, by plural: reviews. */
  readonly questions: ReadonlyMap<string, Question>
  /** Answers `serviceaccounts/NAME/token`: the request with its status filled in. Throws StatusError. */
  readonly createToken: (namespace: string, name: string, request: KubeObject) => KubeObject
  /** What verifiers of service-account tokens ask for. */
  readonly openId?: { configuration(): object; readonly keySet: object }
  /** What servers outside serve; the functions are there when there is anything. */
  readonly outside: {
    readonly versions: OutsideVersions
    passOn?: (request: ApiRequest, version: OutsideVersion) => Promise<Answer>
    passUpgrade?: (request: ApiRequest, version: OutsideVersion, caller: Caller) => Promise<void>
    /** This server's OpenAPI with theirs. */
    openApi?: {
      swagger(own: Buffer, hash: string): Promise<{ document: Buffer; hash: string }>
      index(own: Buffer): Promise<Buffer>
    }
  }
  /** Aborts when the server closes. */
  readonly closing: AbortSignal
}

/** Answers a posted question. Throws StatusError. */
export type Question = (object: KubeObject, context: { user: UserInfo; namespace: string }) => Promise<KubeObject>
