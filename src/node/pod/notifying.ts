/** Sockets for the containers of a pod that notify: opened with each run, closed with its end. */
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { ContainerConfigError } from '../env/environment.ts'
import { ContainerNotify } from '../notify/container-notify.ts'
import { NotifySocket } from '../notify/socket.ts'
import type { NotifyState } from '../notify/state.ts'
import { newest } from '../plan/containers.ts'
import type { Mount } from '../runtime/runtime.ts'
import type { PodState } from './pod-state.ts'

/** Where the socket's directory is in a container. */
const INSIDE = '/run/skiff/notify'
/** A unix socket's path, the zero at its end left out. */
const MAX_PATH_BYTES = 107

export interface Notifying {
  notify: ContainerNotify
  socket: NotifySocket
}

export interface NotifyAccess {
  variables: { name: string; value: string }[]
  mounts: Mount[]
}

/** What a run of the container needs to notify; nothing when it does not. Throws ContainerConfigError. */
export async function openNotify(state: PodState, container: string, attempt: number): Promise<NotifyAccess> {
  const { context, uid, wishes } = state
  if (!wishes.notify.has(container) || !context.writesFiles) return { variables: [], mounts: [] }
  closeOne(state, container)
  const watchdogMs = wishes.timeouts[container]?.watchdog
  const clock: Clock = context.clock
  const notify = new ContainerNotify({
    ...{ attempt, watchdogMs, clock },
    onNews: (news) => {
      remember(state, container, news)
      state.wake()
    },
  })
  const directory = join(context.podsDirectory, uid, 'notify', container)
  const onFlood = () => {
    const message = `Container ${container} sends notifications faster than they are read; it is not listened to for a second`
    context.event(state.pod, { type: 'Warning', reason: 'NotifyFlood', message, container })
  }
  const socket = await NotifySocket.open({ directory, clock, onMessage: (text) => notify.take(text), onFlood }).catch(
    (cause: Error) => {
      throw new ContainerConfigError(cause.message, { cause })
    },
  )
  remember(state, container, notify.state)
  state.notifying.set(container, { notify, socket })
  return access(context.runtime.info.isolation === 'process', socket.path, directory, watchdogMs)
}

function access(isProcess: boolean, path: string, directory: string, watchdogMs: number | undefined): NotifyAccess {
  if (isProcess && Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw new ContainerConfigError(
      `sd_notify needs a data directory with a shorter path: ${path} has more than ${MAX_PATH_BYTES} bytes`,
    )
  const variables = [{ name: 'NOTIFY_SOCKET', value: isProcess ? path : `${INSIDE}/socket` }]
  if (watchdogMs !== undefined) variables.push({ name: 'WATCHDOG_USEC', value: String(watchdogMs * 1000) })
  return { variables, mounts: isProcess ? [] : [{ hostPath: directory, containerPath: INSIDE, readOnly: false }] }
}

/** Closes the sockets of runs that have ended. */
export function keepNotifying(state: PodState): void {
  const containers = state.sandboxes[0]?.containers ?? []
  for (const [name, { notify }] of state.notifying) {
    const last = newest(containers, name)
    if (last?.state === 'Exited' && last.attempt >= notify.state.attempt) closeOne(state, name)
  }
}

export function closeNotifying(state: PodState): void {
  for (const name of [...state.notifying.keys()]) closeOne(state, name)
}

/** `PUT /notify`: the same as a datagram, for programs that cannot send one. */
export function notifyByHttp(state: PodState, container: string | undefined, text: string): { status: number; body: string } {
  const names = [...state.notifying.keys()]
  const name = container ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined)
    return names.length === 0
      ? { status: 409, body: 'no running container of this pod notifies; annotate the pod with skiff.dev/notify: "true"\n' }
      : { status: 400, body: `which container? add ?container= with one of ${names.join(', ')}\n` }
  const known = state.notifying.get(name)
  if (!known)
    return { status: 404, body: `${JSON.stringify(name)} does not notify; running now: ${names.join(', ') || 'none'}\n` }
  known.notify.take(text)
  return { status: 204, body: '' }
}

function remember({ memory }: PodState, container: string, news: NotifyState): void {
  const known = memory.containers[container] ?? {}
  known.notify = news
  memory.containers[container] = known
}

function closeOne(state: PodState, name: string): void {
  const known = state.notifying.get(name)
  if (!known) return
  state.notifying.delete(name)
  known.notify.close()
  known.socket.close()
}
