/** `skiff delete`: deletes, and by default waits until the objects are really gone. */
import type { KubeObject } from '../api/object.ts'
import { isNotFound } from '../api/status.ts'
import type { ResourceRef } from '../client/client.ts'
import { cascadeLines, cascadeOf, countsOf, planCascade } from './cascade.ts'
import { confirm } from './confirm.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { NEEDS } from './names/needs.ts'
import { tellOutcome } from './outcome.ts'
import { parseOutput } from './print-objects.ts'
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
  output?: string | undefined
  /** Asks nothing, and says that a bare name or an alias is meant. */
  yes?: boolean | undefined
}

const PROPAGATION = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' } as const

export async function runDelete(options: DeleteOptions, io: Io): Promise<number> {
  if (!Object.hasOwn(PROPAGATION, options.cascade))
    throw new CommandError(`--cascade ${JSON.stringify(options.cascade)} is not supported: background, foreground or orphan`)
  const format = parseOutput(options.output)
  return withSession(options, io, async (session) => {
    const selected = await selectObjects(options, session, io, NEEDS.delete)
    if (selected.length === 0) writeLine(io.stdout, 'No resources found')
    else if (!options.yes && !(await mayDelete(selected, options, session, io))) return 1
    const going: { one: Selected; uid: string | undefined }[] = []
    let missing = 0
    for (const one of selected) {
      try {
        const object = format.form === 'table' ? undefined : await readOne(one, session)
        going.push({ one, uid: await deleteOne(one, options, session) })
        await tellOutcome(sentence(one, options), object, one.resource, format, io)
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

/**
 * On a terminal it is asked, after showing what goes. Elsewhere what is named in full is deleted as any tool does it; where the kind
 * was left to skiff, the script must say that it means it. Throws CommandError where it does not.
 */
async function mayDelete(selected: readonly Selected[], options: DeleteOptions, session: Session, io: Io): Promise<boolean> {
  const isAsked = io.isTty && io.terminal !== undefined && !options.files?.includes('-')
  const unsaid = selected.filter(({ byName }) => byName)
  if (!isAsked && unsaid.length === 0) return true
  const isOrphaning = options.cascade === 'orphan'
  const { going, unreadable } = isOrphaning
    ? { going: planCascade(selected, []), unreadable: [] }
    : await cascadeOf(isAsked ? selected : unsaid, session)
  if (!isAsked) {
    const handles = going.map(({ handle }) => handle).join(', ')
    const inside = countsOf(going.flatMap(({ children }) => children))
    throw new CommandError(
      `this means ${handles}${inside && `, with ${inside}`}: say --yes to delete ${going.length === 1 ? 'it' : 'them'}, or KIND/NAME`,
    )
  }
  for (const line of cascadeLines(going)) writeLine(io.stdout, line)
  if (unreadable.length > 0) writeLine(io.stdout, `perhaps more: there is no permission to list ${unreadable.join(', ')}`)
  const agreed = await confirm(isOrphaning ? 'Delete this, and leave what it owns?' : 'Delete all of this?', io)
  if (!agreed) writeLine(io.stdout, 'nothing deleted')
  return agreed
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

/** As it was before it went. */
function readOne({ resource, name, namespace }: Selected, { client }: Session): Promise<KubeObject> {
  return client.get(resource as ResourceRef<KubeObject>, name, { namespace })
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
