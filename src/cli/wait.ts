/** `skiff wait`: until every object is as asked, or the time is over. */
import { setMaxListeners } from 'node:events'
import type { KubeObject } from '../api/object.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { evaluatePath, showValue } from './jsonpath.ts'
import { NEEDS } from './names/needs.ts'
import { type Selected, type SelectOptions, selectObjects } from './select-objects.ts'
import { withSession } from './session.ts'
import { displayName } from './targets.ts'
import { untilObject } from './watch-object.ts'

export interface WaitOptions extends SelectOptions {
  for: string
  timeoutMs: number
}

/** What a negative timeout means. */
const LONGEST_MS = 7 * 24 * 3_600_000

export async function runWait(options: WaitOptions, io: Io): Promise<number> {
  const wanted = parseWanted(options.for)
  return withSession(options, io, async (session) => {
    // A timeout of 0 looks once.
    const timeout = AbortSignal.timeout(options.timeoutMs < 0 ? LONGEST_MS : options.timeoutMs || LONGEST_MS)
    const signal = AbortSignal.any([timeout, io.signal])
    // Each object that is waited for listens.
    setMaxListeners(0, signal)
    const selected = await selectObjects(options, session, io, NEEDS.wait)
    if (selected.length === 0 && !wanted.absent) throw new CommandError('no matching resources found')
    const waitOne = async (one: Selected): Promise<void> => {
      let seen = false
      const done = (object: KubeObject | undefined) => {
        // Only creation can be waited for on what is not there.
        if (!object && !seen && !wanted.absent && !wanted.creation)
          throw new CommandError(`${one.resource.plural} ${JSON.stringify(one.name)} not found`)
        seen = true
        if (wanted.holds(object)) return true
        if (options.timeoutMs === 0) throw new CommandError(`the condition on ${one.resource.plural}/${one.name} is not met`)
        return false
      }
      try {
        await untilObject(session.client, one, done, signal)
      } catch (error) {
        if (timeout.aborted && !io.signal.aborted)
          throw new CommandError(`timed out waiting for the condition on ${one.resource.plural}/${one.name}`, 1, { cause: error })
        throw error
      }
      writeLine(io.stdout, `${displayName(one.resource, one.name)} ${wanted.absent ? 'is gone' : 'condition met'}`)
    }
    await Promise.all(selected.map(waitOne))
    return 0
  })
}

interface Wanted {
  holds(object: KubeObject | undefined): boolean
  /** The object is to go. */
  absent: boolean
  /** The object is to come. */
  creation: boolean
}

interface Condition {
  type: string
  status: string
  observedGeneration?: number
}

/** Throws CommandError for what is none of the forms. */
function parseWanted(text: string): Wanted {
  if (text === 'delete') return { holds: (object) => !object, absent: true, creation: false }
  if (text === 'create') return { holds: (object) => object !== undefined, absent: false, creation: true }
  const condition = /^condition=([^=]+)(?:=(.+))?$/.exec(text)
  if (condition) return present((object) => hasCondition(object, condition[1]!, condition[2] ?? 'True'))
  if (text.startsWith('jsonpath=')) {
    const { path, value } = pathAndValue(text.slice('jsonpath='.length))
    // A path that is not understood is refused before anything is waited for.
    evaluatePath(path, {})
    return present((object) => {
      const found = evaluatePath(path, object)
      return value === undefined ? found.length > 0 : found.length === 1 && showValue(found[0]) === value
    })
  }
  throw new CommandError(
    `--for ${JSON.stringify(text)} is not supported: condition=NAME[=VALUE], delete, create or jsonpath={PATH}[=VALUE]`,
  )
}

function present(test: (object: KubeObject) => boolean): Wanted {
  return { holds: (object) => object !== undefined && test(object), absent: false, creation: false }
}

/** `{.status.phase}=Running`; the braces may be left out, and then the first `=` outside brackets ends the path. */
function pathAndValue(text: string): { path: string; value: string | undefined } {
  const match = /^\{(.*)\}(?:=(.*))?$/s.exec(text) ?? /^((?:[^=[]|\[[^\]]*\])+)(?:=(.*))?$/s.exec(text)
  if (!match) throw new CommandError(`--for jsonpath: ${JSON.stringify(text)} is no {PATH}[=VALUE]`)
  return { path: match[1]!, value: match[2] }
}

/** A condition about an older generation says nothing about this one. */
function hasCondition(object: KubeObject, type: string, status: string): boolean {
  const conditions = (object.status?.conditions ?? []) as Condition[]
  const found = conditions.find((one) => one.type.toLowerCase() === type.toLowerCase())
  if (!found || found.status.toLowerCase() !== status.toLowerCase()) return false
  const observed = found.observedGeneration ?? (object.status?.observedGeneration as number | undefined)
  return observed === undefined || observed >= (object.metadata.generation ?? 0)
}
