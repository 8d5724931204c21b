/** Those who wait to be attached to a container before it starts, one for each container. */
import type { ProcessHandle, ProcessIo } from '../../api/streams.ts'
import type { FirstAttach } from '../runtime/runtime.ts'

export class Waiting implements FirstAttach {
  readonly io: ProcessIo
  readonly signal: AbortSignal
  readonly handle: Promise<ProcessHandle>
  readonly joined: (handle: ProcessHandle) => void
  readonly refuse: (error: Error) => void
  #isJoined = false

  constructor(io: ProcessIo, signal: AbortSignal) {
    this.io = io
    this.signal = signal
    let [resolve, reject] = [(_: ProcessHandle) => {}, (_: Error) => {}]
    this.handle = new Promise((settle, fail) => {
      resolve = settle
      reject = fail
    })
    this.handle.catch(() => {})
    this.refuse = reject
    this.joined = (handle) => {
      this.#isJoined = true
      resolve(handle)
    }
  }

  /** For a runtime that could not join the streams at the start. */
  async joinLate(attach: (io: ProcessIo, signal: AbortSignal) => Promise<ProcessHandle>): Promise<void> {
    if (this.#isJoined) return
    try {
      this.joined(await attach(this.io, this.signal))
    } catch (error) {
      this.refuse(error as Error)
    }
  }
}

export class FirstAttaches {
  readonly #waiting = new Map<string, Waiting>()
  readonly #onChange: (container: string, isWaiting: boolean) => void

  /** `onChange` is told who begins to wait, and who gave up. */
  constructor(onChange: (container: string, isWaiting: boolean) => void) {
    this.#onChange = onChange
  }

  /** Resolves when the container starts, with its process. Rejects when the caller goes away before, or the pod does. */
  wait(container: string, io: ProcessIo, signal: AbortSignal): Promise<ProcessHandle> {
    if (this.#waiting.has(container))
      throw new Error(`somebody is attached to container ${container} already, which has not started`)
    const waiting = new Waiting(io, signal)
    this.#waiting.set(container, waiting)
    signal.addEventListener('abort', () => this.#giveUp(container, waiting), { once: true })
    this.#onChange(container, true)
    return waiting.handle
  }

  take(container: string): Waiting | undefined {
    const waiting = this.#waiting.get(container)
    this.#waiting.delete(container)
    return waiting
  }

  /** Nothing will start any more. */
  close(): void {
    for (const [container, { refuse }] of this.#waiting)
      refuse(new Error(`the pod has ended before container ${container} started`))
    this.#waiting.clear()
  }

  #giveUp(container: string, waiting: Waiting): void {
    if (this.#waiting.get(container) !== waiting) return
    this.#waiting.delete(container)
    waiting.refuse(new Error('the caller went away'))
    this.#onChange(container, false)
  }
}
