/** Requests without a pause, each on a connection of its own, and who answered. A failed one is kept, never repeated. */
import http from 'node:http'

export interface Sample {
  /** Milliseconds since the load began. */
  atMs: number
  version: string | undefined
  failure: string | undefined
}

export interface Load {
  samples(): readonly Sample[]
  /** Resolves when a few more requests than are under way now have been answered. */
  settle(): Promise<void>
  /** Sends no more, waits for those under way. */
  stop(): Promise<void>
}

const PARALLEL = 4
const TIMEOUT_MS = 5_000
/** Between two requests of one sender, so that the demo leaves the processors to the cluster. */
const PAUSE_MS = 8
const SETTLE_REQUESTS = 200

export function startLoad(url: string, signal: AbortSignal): Load {
  const startedAt = performance.now()
  const samples: Sample[] = []
  let stopping = false
  let waiting: { count: number; resolve: () => void }[] = []

  async function send(): Promise<void> {
    while (!stopping && !signal.aborted) {
      const atMs = performance.now() - startedAt
      const outcome = await request(url)
      samples.push({ atMs, ...outcome })
      waiting = waiting.filter(({ count, resolve }) => {
        if (samples.length < count) return true
        resolve()
        return false
      })
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    for (const { resolve } of waiting.splice(0)) resolve()
  }

  const senders = Array.from({ length: PARALLEL }, send)
  return {
    samples: () => samples,
    settle: () => new Promise((resolve) => waiting.push({ count: samples.length + SETTLE_REQUESTS, resolve })),
    async stop() {
      stopping = true
      await Promise.all(senders)
    },
  }
}

function request(url: string): Promise<{ version: string | undefined; failure: string | undefined }> {
  return new Promise((resolve) => {
    const failed = (failure: string) => resolve({ version: undefined, failure })
    const outgoing = http.get(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', (error) => failed(error.message))
      response.on('end', () => {
        if (response.statusCode !== 200) failed(`status ${response.statusCode}`)
        else resolve({ version: (JSON.parse(text) as { version: string }).version, failure: undefined })
      })
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
    outgoing.on('error', (error) => failed(error.message))
  })
}
