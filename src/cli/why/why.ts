/** `skiff why`: what pods wait for, through the chain, down to what holds all of it. */
import type { KubeObject } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import { age } from '../age.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { NEEDS } from '../names/needs.ts'
import { selectObjects } from '../select-objects.ts'
import { type GlobalOptions, withSession } from '../session.ts'
import { type Cause, causeLines, rootCauses } from './cause.ts'
import { Explainer } from './explain.ts'

export interface WhyOptions extends GlobalOptions {
  words: readonly string[]
  allMatches?: boolean | undefined
  output?: string | undefined
}

/** The exit code that says: something waits. */
const WAITS = 3

export async function runWhy(options: WhyOptions, io: Io): Promise<number> {
  if (options.output !== undefined && options.output !== 'json')
    throw new CommandError(`-o ${options.output} is not known here, only json`)
  return withSession(options, io, async (session) => {
    const selected = await selectObjects(options, session, io, NEEDS.why)
    const explainer = new Explainer(session)
    const causes: Cause[] = []
    for (const { resource, name, namespace, object: known } of selected) {
      const object = known ?? (await session.client.get(resource as ResourceRef<KubeObject>, name, { namespace }))
      const cause = await explainer.explain(resource, object)
      if (cause) causes.push(cause)
      else if (options.output === undefined) writeLine(io.stdout, `${resource.singular}/${name}: nothing waits`)
    }
    const roots = rootCauses(causes)
    if (options.output === 'json')
      writeLine(io.stdout, JSON.stringify({ waits: causes.length > 0, causes, rootCauses: roots }, null, 2))
    else {
      const nowMs = Date.now()
      for (const line of causeLines(causes, (since) => age(since, nowMs))) writeLine(io.stdout, line)
      const isChain = causes.some(({ behind }) => behind.length > 0)
      if (isChain) for (const { subject, why } of roots) writeLine(io.stdout, `root cause: ${subject}: ${why}`)
    }
    return causes.length > 0 ? WAITS : 0
  })
}
