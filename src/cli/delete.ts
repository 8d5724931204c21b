/** `skiff delete`: deletes, and by default waits until the objects are really gone. */
import type { KubeObject } from '../api/object.ts'
import { isNotFound } from '../api/status.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { NEEDS } from './names/needs.ts'
import { type Selected, type SelectOptions, selectObjects } from './select-objects.ts'
import { type Session, withSession } from './session.ts'
import { displayKind } from './targets.ts'
import { untilObject } from './watch-object.ts'

export interface DeleteOptions extends SelectOptions {
  gracePeriod?: number | undefined
  force?: boolean | undefined
  cascade: string
  ignoreNotFound?: boolean | undefined
  wait: boolean
  timeoutMs?: number | undefined
}

const PROPAGATION = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' } as const

export async function runDelete(options: DeleteOptions, io: Io): Promise<number> {
  if (!Object.hasOwn(PROPAGATION, options.cascade))
    throw new CommandError(`--cascade ${JSON.stringify(options.cascade)} is not supported: background, foreground or orphan`)
  return withSession(options, io, async (session) => {
    const selected = await selectObjects(options, session, io, NEEDS.delete)
    if (selected.length === 0) writeLine(io.stdout, 'No resources found')
    const going: { one: Selected; uid: string | undefined }[] = []
    let missing = 0
    for (const one of selected) {
      try {
        going.push({ one, uid: await deleteOne(one, options, session) })
        writeLine(io.stdout, sentence(one, options))
      } catch (error) {
        // Chosen by files or a selector, it may have gone with its owner.
        if (!isNotFound(error)) throw error
        if (options.ignoreNotFound || one.object) continue
        missing++
        writeLine(io.stderr, `error: ${(error as Error).message} (NotFound)`)
      }
    }
    if (options.wait && !options.force) await waitGone(going, options, session, io)
    return missing > 0 ? 1 : 0
  })
}

/** The uid of what was deleted, as far as the server says. */
async function deleteOne(
  { resource, name, namespace }: Selected,
  options: DeleteOptions,
  session: Session,
): Promise<string | undefined> {
  const gracePeriodSeconds = options.force ? (options.gracePeriod ?? 0) : options.gracePeriod
  const propagationPolicy = PROPAGATION[options.cascade as keyof typeof PROPAGATION]
  const answer = await session.client.delete(resource, name, { namespace, gracePeriodSeconds, propagationPolicy })
  return answer.kind === 'Status' ? (answer as KubeObject & { details?: { uid?: string } }).details?.uid : answer.metadata.uid
}

function sentence({ resource, name, namespace }: Selected, { force }: DeleteOptions): string {
  const where = namespace ? ` from ${namespace} namespace` : ''
  return `${displayKind(resource)} ${JSON.stringify(name)} ${force ? 'force deleted' : 'deleted'}${where}`
}

async function waitGone(
  going: readonly { one: Selected; uid: string | undefined }[],
  options: DeleteOptions,
  session: Session,
  io: Io,
): Promise<void> {
  const timeout = options.timeoutMs ? AbortSignal.timeout(options.timeoutMs) : undefined
  const signal = timeout ? AbortSignal.any([io.signal, timeout]) : io.signal
  for (const { one, uid } of going) {
    try {
      // Another object of the same name is not the one that was deleted.
      await untilObject(session.client, one, (object) => !object || (uid !== undefined && object.metadata.uid !== uid), signal)
    } catch (error) {
      if (timeout?.aborted && !io.signal.aborted)
        throw new CommandError(`timed out waiting for ${one.resource.plural}/${one.name} to be gone`, 1, { cause: error })
      throw error
    }
  }
}
