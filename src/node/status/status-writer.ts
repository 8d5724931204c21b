/**
 * Keeps one pod's status in the API as the node wants it: only changes are sent, one request at a time, and of several
 * wishes that came meanwhile only the last.
 */
import { isConflict, isNotFound, type StatusError } from '../../api/status.ts'
import type { Pod, PodStatus } from '../../api/types.ts'
import { type Backoff, createBackoff } from '../../base/backoff.ts'
import { type Clock, delay } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import { pods } from '../../client/resources.ts'
import { statusPatch } from './status-patch.ts'

const RETRY_INITIAL_MS = 200
const RETRY_MAX_MS = 30_000

export interface StatusWriterOptions {
  client: Client
  clock: Clock
  log: Log
  signal: AbortSignal
  /** Bounds the status requests under way in the whole process. */
  limit: <T>(work: () => Promise<T>) => Promise<T>
}

export class StatusWriter {
  private readonly options: StatusWriterOptions
  private pod: Pod
  private wanted: PodStatus | undefined
  private writing: Promise<void> | undefined
  private gone = false
  private readonly backoff: Backoff

  constructor(pod: Pod, options: StatusWriterOptions) {
    this.pod = pod
    this.options = options
    this.backoff = createBackoff({ initialMs: RETRY_INITIAL_MS, maxMs: RETRY_MAX_MS })
  }

  /** The pod as last seen: from the watch, or as an answer to an own write. */
  get known(): Pod {
    return this.pod
  }

  /** What the watch says; older news than an own write's answer are passed over. */
  see(pod: Pod): void {
    if (revision(pod) >= revision(this.pod)) this.pod = pod
  }

  set(status: PodStatus): void {
    this.wanted = status
    if (this.writing || !this.difference()) return
    this.writing = this.write().finally(() => {
      this.writing = undefined
    })
  }

  /** Resolves when what was wanted is in the API, or the pod is not there any more. */
  async flush(): Promise<void> {
    while (this.writing) await this.writing
  }

  private difference(): Record<string, unknown> | undefined {
    return this.wanted && !this.gone ? statusPatch(this.pod.status ?? {}, this.wanted) : undefined
  }

  private async write(): Promise<void> {
    const { client, clock, log, limit, signal } = this.options
    const { name = '', namespace, uid } = this.pod.metadata
    let sent = ''
    while (!signal.aborted) {
      try {
        const more = await limit(async () => {
          // What is sent is decided when its turn comes.
          const status = this.difference()
          if (!status) return false
          // A server that answers with something else than it was sent must not be asked forever.
          const text = JSON.stringify(status)
          if (text === sent) return false
          sent = text
          const parameters = { namespace, subresource: 'status', signal }
          this.see(await client.patch(pods, name, 'strategic', { metadata: { uid }, status }, parameters))
          return true
        })
        this.backoff.reset()
        if (!more) return
      } catch (error) {
        if (signal.aborted) return
        if (isNotFound(error) || isConflict(error)) {
          this.gone = true
          return
        }
        log.warn('pod status not written, will retry', { pod: `${namespace}/${name}`, error: (error as StatusError).message })
        await delay(clock, this.backoff.next(), signal).catch(() => {})
      }
    }
  }
}

/** Revisions of one server are numbers that grow. */
function revision(pod: Pod): number {
  return Number(pod.metadata.resourceVersion ?? 0) || 0
}
