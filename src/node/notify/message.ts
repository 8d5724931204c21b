/** One datagram of sd_notify(3): assignments, a line each. What is not understood is left out, as the protocol wants. Pure. */

/** Longer datagrams are no notifications, as with systemd. */
export const MAX_MESSAGE_BYTES = 4096
/** The part of a status that is shown. */
const MAX_STATUS_LENGTH = 512

export interface Notification {
  ready?: boolean
  reloading?: boolean
  stopping?: boolean
  status?: string
  errno?: number
  mainPid?: number
  monotonicUsec?: number
  /** `alive`, or the container wants to be taken for dead. */
  watchdog?: 'alive' | 'trigger'
  watchdogUsec?: number
  extendUsec?: number
  barrier?: boolean
}

export function parseNotification(text: string): Notification {
  const found: Notification = {}
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) assign(found, line.slice(0, at), line.slice(at + 1))
  }
  return found
}

function assign(found: Notification, name: string, value: string): void {
  switch (name) {
    case 'READY':
    case 'RELOADING':
    case 'STOPPING':
      if (value === '1') found[name.toLowerCase() as 'ready' | 'reloading' | 'stopping'] = true
      return
    case 'STATUS':
      found.status = value.slice(0, MAX_STATUS_LENGTH)
      return
    case 'WATCHDOG':
      if (value === '1') found.watchdog = 'alive'
      if (value === 'trigger') found.watchdog = 'trigger'
      return
    case 'BARRIER':
      if (value === '1') found.barrier = true
      return
    default:
      assignNumber(found, name, value)
  }
}

const NUMBERS = {
  ERRNO: 'errno',
  MAINPID: 'mainPid',
  MONOTONIC_USEC: 'monotonicUsec',
  WATCHDOG_USEC: 'watchdogUsec',
  EXTEND_TIMEOUT_USEC: 'extendUsec',
} as const

function assignNumber(found: Notification, name: string, value: string): void {
  if (!Object.hasOwn(NUMBERS, name) || !/^\d{1,15}$/.test(value)) return
  found[NUMBERS[name as keyof typeof NUMBERS]] = Number(value)
}
