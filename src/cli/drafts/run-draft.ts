/** `skiff run pod/NAME`: a draft becomes what it describes, as soon as nothing holds it. */
import { draftContainers, pendingOf } from '../../api/drafts.ts'
import { isConflict, isNotFound } from '../../api/status.ts'
import type { PodTemplate } from '../../api/types.ts'
import { podTemplates } from '../../client/resources.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { FlagValues } from '../run/container.ts'
import { planParts, type RunPlan } from '../run/plan.ts'
import { attachedOf, RUN_LABEL } from '../run/pod.ts'
import type { Words } from '../run/words.ts'
import type { Place } from '../session.ts'
import { untilObject } from '../watch-object.ts'
import { draftName, findDraft } from './find.ts'

export interface Drafted {
  readonly plan: RunPlan
  /** The draft has become what was made of it. */
  consumed(): Promise<void>
}

/** Waits for whoever holds the draft, unless it is only to be looked at. Throws CommandError. */
export async function planDraft(word: string, words: Words, isLook: boolean, io: Io, place: Place): Promise<Drafted> {
  if (words.containers.length > 0) throw new CommandError(`${word} is a draft: --image belongs to skiff add container`)
  const name = draftName(word)
  const first = await findDraft(name, place)
  // What could not be run anyway is not waited for.
  const plan = planOf(name, first, words, place.namespace)
  if (isLook || pendingOf(first).length === 0) return { plan, consumed: () => consume(first, place) }
  const draft = await whenReleased(name, io, place)
  return { plan: planOf(name, draft, words, place.namespace), consumed: () => consume(draft, place) }
}

async function consume({ metadata }: PodTemplate, { client, namespace }: Place): Promise<void> {
  const { name = '', uid = '' } = metadata
  try {
    await client.delete(podTemplates, name, { namespace, preconditions: { uid } })
  } catch (error) {
    // Somebody else ran or removed it at the same time.
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
}

async function whenReleased(name: string, io: Io, place: Place): Promise<PodTemplate> {
  let told = ''
  const released = (now: object | undefined) => {
    const pending = now ? pendingOf(now as PodTemplate) : []
    if (pending.length > 0 && told !== pending.join()) writeLine(io.stderr, `draft/${name} waits for ${pending.join(', ')}`)
    told = pending.join()
    return pending.length === 0
  }
  await untilObject(place.client, { resource: podTemplates, name, namespace: place.namespace }, released, io.signal)
  return findDraft(name, place)
}

/** Pure. */
export function planOf(name: string, draft: PodTemplate, words: Words, namespace: string): RunPlan {
  const containers = draftContainers(draft)
  if (containers.length === 0) throw new CommandError(`draft ${name} has no container: skiff add container ${name} --image …`)
  const streams = new FlagValues(words.shared)
  const stray = words.shared.find(({ definition }) => definition.name !== 'interactive' && definition.name !== 'tty')
  if (stray) throw new CommandError(`${stray.text} belongs to a container of the draft: skiff set, or skiff add container`)
  const [first, ...others] = containers
  const streaming = {
    ...first!,
    ...(streams.has('interactive') && { stdin: true }),
    ...(streams.has('tty') && { tty: true }),
  }
  const all = [streaming, ...others]
  const attached = attachedOf(all)
  const { labels = {}, annotations = {} } = draft.template?.metadata ?? {}
  return planParts(
    name,
    {
      namespace,
      flags: new FlagValues(words.all),
      hasArguments: all.some(({ args, command }) => args || command),
      prefers: 'pod',
    },
    {
      labels: { app: name, ...labels, [RUN_LABEL]: name },
      annotations,
      spec: { ...draft.template?.spec, containers: all },
      ...(attached && { attached }),
    },
  )
}
