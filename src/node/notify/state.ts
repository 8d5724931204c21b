/** What a container has said of itself so far by sd_notify, message by message. Pure: the time comes in. */
import type { Notification } from './message.ts'

export interface NotifyState {
  /** The run of the container that it is about. */
  attempt: number
  /** When the container said that it is ready; absent until then. */
  readyAtMs?: number
  reloading?: boolean
  stopping?: boolean
  status?: string
  errno?: number
  mainPid?: number
  /** When the reload began, by the container's monotonic clock. */
  reloadedUsec?: number
  /** How long it may be silent. */
  watchdogMs?: number
  /** When its silence has lasted too long. */
  watchdogDueMs?: number
  /** Until when it asked for patience: stages do not time out and probes wait. */
  extendedUntilMs?: number
  /** The watchdog has bitten. */
  dead?: boolean
}

export function noted(before: NotifyState, message: Notification, nowMs: number): NotifyState {
  const after: NotifyState = { ...before }
  if (message.status !== undefined) after.status = message.status
  if (message.errno !== undefined) after.errno = message.errno
  if (message.mainPid !== undefined) after.mainPid = message.mainPid
  if (message.reloading) {
    after.reloading = true
    if (message.monotonicUsec !== undefined) after.reloadedUsec = message.monotonicUsec
  }
  if (message.ready) {
    after.readyAtMs ??= nowMs
    delete after.reloading
    // Its patience was for the stage that is over now.
    delete after.extendedUntilMs
  }
  if (message.stopping) after.stopping = true
  if (message.extendUsec !== undefined) after.extendedUntilMs = nowMs + message.extendUsec / 1000
  watch(after, message, nowMs)
  return after
}

/** The watchdog watches from READY on; its first sign of life is that. */
function watch(after: NotifyState, { watchdog, watchdogUsec, ready }: Notification, nowMs: number): void {
  if (watchdogUsec !== undefined) {
    if (watchdogUsec === 0) delete after.watchdogMs
    else after.watchdogMs = watchdogUsec / 1000
  }
  if (watchdog === 'trigger') after.dead = true
  if (after.watchdogMs === undefined || after.readyAtMs === undefined) {
    delete after.watchdogDueMs
    return
  }
  if (watchdog === 'alive' || watchdogUsec !== undefined || ready || after.watchdogDueMs === undefined)
    after.watchdogDueMs = nowMs + after.watchdogMs
}

/** Whether anything but words has changed: the pod is to be looked at at once. */
export function changesCourse(before: NotifyState, after: NotifyState): boolean {
  return (
    before.readyAtMs !== after.readyAtMs ||
    before.reloading !== after.reloading ||
    before.stopping !== after.stopping ||
    before.dead !== after.dead ||
    before.extendedUntilMs !== after.extendedUntilMs
  )
}
