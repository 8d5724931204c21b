/** What the runtime has, by pod uid: one listing answers all who ask at the same time. */
import type { Runtime, SandboxState } from '../runtime/runtime.ts'

export class SandboxView {
  private readonly runtime: Runtime
  private current: Promise<unknown> = Promise.resolve()
  private next: Promise<ReadonlyMap<string, SandboxState[]>> | undefined
  private readonly uids = new Map<string, string>()

  constructor(runtime: Runtime) {
    this.runtime = runtime
  }

  /** As of now or later. Sandboxes of one pod come newest first. */
  fresh(): Promise<ReadonlyMap<string, SandboxState[]>> {
    if (!this.next) {
      // A listing that began before this call may lack what the caller just did, so a new one follows it.
      const listing = this.current.then(async () => {
        this.next = undefined
        return this.index(await this.runtime.list())
      })
      this.next = listing
      this.current = listing.catch(() => {})
    }
    return this.next
  }

  /** The pod of a sandbox that was seen before. */
  uidOf(sandboxId: string): string | undefined {
    return this.uids.get(sandboxId)
  }

  forget(sandboxId: string): void {
    this.uids.delete(sandboxId)
  }

  private index(sandboxes: readonly SandboxState[]): Map<string, SandboxState[]> {
    const byUid = new Map<string, SandboxState[]>()
    for (const sandbox of sandboxes) {
      this.uids.set(sandbox.id, sandbox.uid)
      const known = byUid.get(sandbox.uid)
      if (known) known.push(sandbox)
      else byUid.set(sandbox.uid, [sandbox])
    }
    for (const list of byUid.values()) if (list.length > 1) list.sort((a, b) => b.attempt - a.attempt)
    return byUid
  }
}
