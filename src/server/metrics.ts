/** Counts for `/metrics`, in Prometheus' text form. */
import type { Store } from '../store/store.ts'

export class Metrics {
  #requests = new Map<string, number>()
  #inFlight = 0
  #watchers = 0

  /** Counts a request in; the returned function counts it out with its answer's code. */
  begin(verb: string, resource: string): (code: number) => void {
    this.#inFlight += 1
    return (code) => {
      this.#inFlight -= 1
      const labels = `verb="${verb.toUpperCase()}",resource="${resource}",code="${code}"`
      this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1)
    }
  }

  watchStarted(): () => void {
    this.#watchers += 1
    return () => {
      this.#watchers -= 1
    }
  }

  render(store: Store): string {
    const { rss, heapUsed } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const lines = [
      ...family('apiserver_request_total', 'counter', 'Requests by verb, resource and code.'),
      ...[...this.#requests].map(([labels, count]) => `apiserver_request_total{${labels}} ${count}`),
      ...gauge('apiserver_current_inflight_requests', 'Requests at work.', this.#inFlight),
      ...gauge('apiserver_registered_watchers', 'Open watches.', this.#watchers),
      ...gauge('skiff_store_revision', 'The newest committed revision.', store.revision),
      ...gauge('skiff_store_compacted_revision', 'History up to here has been forgotten.', store.compactedRevision),
      ...gauge('process_resident_memory_bytes', 'Resident memory.', rss),
      ...gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', heapUsed),
      ...family('process_cpu_seconds_total', 'counter', 'User and system CPU time.'),
      `process_cpu_seconds_total ${(user + system) / 1e6}`,
    ]
    return `${lines.join('\n')}\n`
  }
}

function family(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function gauge(name: string, help: string, value: number): string[] {
  return [...family(name, 'gauge', help), `${name} ${value}`]
}
