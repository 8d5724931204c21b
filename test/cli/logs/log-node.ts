/** A node whose containers write what a test says, read as a node agent reads them. */
import { Readable } from 'node:stream'
import { badRequest } from '../../../src/api/status.ts'
import type { NodeStreams } from '../../../src/api/streams.ts'
import { readLines } from '../../../src/node/logs/read-lines.ts'
import type { LogLine } from '../../../src/node/runtime/runtime.ts'

interface Written {
  lines: LogLine[]
  isLive: boolean
  listeners: Set<() => void>
}

export class LogNode {
  readonly #logs = new Map<string, Written>()
  /** Opened and not ended, now and at most. */
  open = 0
  mostOpen = 0

  /** `pod/container`; the time is in seconds of some day. */
  write(name: string, second: number, text: string): void {
    const log = this.#log(name)
    log.lines.push({ timeMs: Date.UTC(2026, 0, 31) + second * 1000, stream: 'stdout', text })
    for (const listener of [...log.listeners]) listener()
  }

  end(name: string): void {
    const log = this.#log(name)
    log.isLive = false
    for (const listener of [...log.listeners]) listener()
  }

  /** A further run of the container: its log begins anew. */
  again(name: string): void {
    this.#logs.delete(name)
    this.#log(name)
  }

  get streams(): NodeStreams {
    const refuse = () => Promise.reject(badRequest('only logs here'))
    return {
      ...{ exec: refuse, attach: refuse, portForward: refuse, usage: refuse },
      logs: async (pod, options, signal) => {
        const log = this.#logs.get(`${pod.name}/${options.container}`)
        if (!log) throw badRequest(`container "${options.container}" in pod "${pod.name}" is waiting to start`)
        const source = {
          isLive: () => log.isLive,
          onChange: (listener: () => void) => {
            log.listeners.add(listener)
            return () => log.listeners.delete(listener)
          },
        }
        const stream = Readable.from(readLines(() => log.lines, source, options, Date.now(), signal))
        this.open += 1
        this.mostOpen = Math.max(this.open, this.mostOpen)
        stream.once('close', () => {
          this.open -= 1
        })
        return stream
      },
    }
  }

  #log(name: string): Written {
    const log = this.#logs.get(name) ?? { lines: [], isLive: true, listeners: new Set() }
    this.#logs.set(name, log)
    return log
  }
}
