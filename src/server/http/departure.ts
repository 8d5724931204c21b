/** Whether the client has gone: a flag for most requests, an AbortSignal for those that ask for one. */
import type { Http2ServerResponse } from 'node:http2'

export class Departure {
  /** The connection closed before the answer was finished. */
  gone = false
  #controller: AbortController | undefined

  constructor(response: Http2ServerResponse) {
    response.on('close', () => {
      if (!response.writableFinished) this.#depart()
    })
    response.on('error', () => this.#depart())
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.gone) this.#controller.abort()
    }
    return this.#controller.signal
  }

  #depart(): void {
    if (this.gone) return
    this.gone = true
    this.#controller?.abort()
  }
}
