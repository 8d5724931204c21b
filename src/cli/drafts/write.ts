/** `skiff create pod` begins a draft, `skiff add container` adds to it, `skiff approve` takes names off what holds it. */
import {
  DRAFT_LABEL,
  draftContainers,
  EXPIRES_ANNOTATION,
  expiryOf,
  isDraft,
  NO_CONTAINER,
  PENDING_ANNOTATION,
  pendingOf,
} from '../../api/drafts.ts'
import { isConflict, isNotFound } from '../../api/status.ts'
import type { PodTemplate } from '../../api/types.ts'
import { podTemplates } from '../../client/resources.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { parseOutput, printObjects } from '../print-objects.ts'
import { FlagValues } from '../run/container.ts'
import { makePod } from '../run/pod.ts'
import { pair, restart } from '../run/values.ts'
import type { Words } from '../run/words.ts'
import type { Place } from '../session.ts'
import { draftName, findDraft, isExpired } from './find.ts'

interface Shown {
  dryRun?: boolean | undefined
  output?: string | undefined
}

const WRITE = { fieldManager: 'skiff', fieldValidation: 'Strict' } as const

export async function createDraft(words: Words, { dryRun = false, output }: Shown, io: Io, place: Place): Promise<number> {
  const format = parseOutput(output)
  const draft = newDraft(onlyName(words), words, io.env, place.namespace)
  if (!dryRun) await removeExpired(draft.metadata.name ?? '', place)
  const made = await place.client.create(podTemplates, draft, { ...WRITE, dryRun })
  if (format.form !== 'table') await printObjects([made], { format, single: true, showManagedFields: false }, [], io.stdout)
  else writeLine(io.stdout, `draft/${made.metadata.name} created${dryRun ? ' (server dry run)' : ''}`)
  return 0
}

function onlyName({ names }: Words): string {
  const [word, ...more] = names
  if (word === undefined || more.length > 0)
    throw new CommandError(`one name is needed for a draft${word ? `, not ${names.join(', ')}` : ''}`)
  return draftName(word)
}

/** Pure but for `--env-file`. */
export function newDraft(name: string, words: Words, env: NodeJS.ProcessEnv, namespace: string): PodTemplate {
  const flags = new FlagValues(words.all)
  const expires = flags.last('expires-after')
  if (expires !== undefined && expires !== 'never' && expiryOf(expires) === undefined)
    throw new CommandError(`--expires-after takes a duration such as 90m, 24h or 7d, or never; not ${JSON.stringify(expires)}`)
  const pending = flags.last('pending')
  const annotations = {
    ...(pending && { [PENDING_ANNOTATION]: pending }),
    ...(expires && { [EXPIRES_ANNOTATION]: expires }),
  }
  return {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: {
      ...{ name, namespace, labels: { [DRAFT_LABEL]: 'true' } },
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    template: templateOf(name, words, flags, env),
  }
}

function templateOf(name: string, words: Words, flags: FlagValues, env: NodeJS.ProcessEnv): NonNullable<PodTemplate['template']> {
  const policy = flags.map('restart', restart)
  if (policy?.retries !== undefined)
    throw new CommandError('--restart on-failure:COUNT does not go with a pod: only a job counts')
  const restartPolicy = policy && { restartPolicy: policy.policy }
  if (words.containers.length === 0) {
    const [stray] = words.shared
    if (stray) throw new CommandError(`${stray.text} has no container: --image is missing`)
    const labels = Object.fromEntries(flags.all('label').map((text) => pair('--label', text)))
    return {
      metadata: { labels },
      spec: { containers: [NO_CONTAINER], ...flags.as('hostname', 'hostname', String), ...restartPolicy },
    }
  }
  const { labels, annotations, spec } = makePod(name, words, env)
  return {
    metadata: { labels, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...spec, ...restartPolicy },
  }
}

/** Where nobody else removes what has expired, it must not be in the way. */
async function removeExpired(name: string, { client, namespace }: Place): Promise<void> {
  try {
    const old = await client.get(podTemplates, name, { namespace })
    const { uid = '', resourceVersion = '' } = old.metadata
    if (isDraft(old) && isExpired(old))
      await client.delete(podTemplates, name, { namespace, preconditions: { uid, resourceVersion } })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

export async function addContainer(words: Words, io: Io, place: Place): Promise<number> {
  const name = onlyName(words)
  if (words.containers.length === 0) throw new CommandError('--image is missing')
  const draft = await findDraft(name, place)
  const before = draftContainers(draft)
  const { spec } = makePod(name, words, io.env, { containers: before, volumes: draft.template?.spec?.volumes ?? [] })
  const template = { ...draft.template, spec: { ...draft.template?.spec, ...spec } }
  await update({ ...draft, template }, place)
  const added = spec.containers.slice(before.length).map((container) => container.name)
  writeLine(io.stdout, `draft/${name}: container ${added.join(', ')} added`)
  return 0
}

/** Without names, says what holds the draft. */
export async function approve(word: string, names: readonly string[], io: Io, place: Place): Promise<number> {
  const draft = await findDraft(draftName(word), place)
  const pending = pendingOf(draft)
  const name = draft.metadata.name ?? ''
  if (names.length === 0) {
    writeLine(io.stdout, pending.length > 0 ? `draft/${name} waits for ${pending.join(', ')}` : `nothing holds draft/${name}`)
    return 0
  }
  const unknown = names.find((one) => !pending.includes(one))
  if (unknown !== undefined)
    throw new CommandError(
      `draft ${name} does not wait for ${unknown}${pending.length > 0 ? ` (it waits for ${pending.join(', ')})` : ''}`,
    )
  const left = pending.filter((one) => !names.includes(one))
  const { [PENDING_ANNOTATION]: _, ...others } = draft.metadata.annotations ?? {}
  const annotations = left.length > 0 ? { ...others, [PENDING_ANNOTATION]: left.join(',') } : others
  await update({ ...draft, metadata: { ...draft.metadata, annotations } }, place)
  writeLine(io.stdout, `draft/${name}: ${names.join(', ')} approved${left.length > 0 ? `; waits for ${left.join(', ')}` : ''}`)
  return 0
}

async function update(draft: PodTemplate, { client }: Place): Promise<void> {
  try {
    await client.update(podTemplates, draft, WRITE)
  } catch (cause) {
    if (!isConflict(cause)) throw cause
    throw new CommandError(`draft ${draft.metadata.name} was changed by somebody else meanwhile; run this again`, 1, { cause })
  }
}
