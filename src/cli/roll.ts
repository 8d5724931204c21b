/** `skiff roll`: from what is given on the command line to a roll, and its exit code. */
import { readFile } from 'node:fs/promises'
import type { PodTemplateSpec } from '../api/types.ts'
import { systemClock } from '../base/clock.ts'
import { previewRoll, type RollbackOptions, type RollKind, type RollOptions, roll } from '../rollout/index.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { createPinner, type Pinner } from './pin.ts'
import type { PinMode } from './pin-modes.ts'
import { showRoll, told } from './roll-output.ts'
import { type Place, ROLLED_KINDS, resolveWorkload } from './workload-names.ts'

/** The flags that a roll and its way back share. */
export interface PaceFlags {
  maxSurge?: string | undefined
  maxUnavailable?: string | undefined
  /** Seconds. */
  minReady?: number | undefined
  timeoutMs?: number | undefined
  deadlineMs?: number | undefined
  updatePeriodMs?: number | undefined
  json: boolean
}

export interface RollFlags extends PaceFlags {
  /** `web`, `rc/web`. */
  name: string
  /** The second of two names. */
  to?: string | undefined
  /** `IMAGE` or `CONTAINER=IMAGE`, each. */
  images: readonly string[]
  file?: string | undefined
  dryRun: boolean
  pin?: PinMode | undefined
}

const CONFLICT = 3

export async function runRoll(flags: RollFlags, io: Io, place: Place): Promise<number> {
  if (flags.images.length === 0 && flags.file === undefined && flags.to === undefined)
    throw new CommandError('to what? Give --image, -f or the name of another controller')
  if (flags.to !== undefined && (flags.file !== undefined || flags.images.length > 0))
    throw new CommandError('a second name stands alone: --image and -f do not go with it')
  const { kind, name } = await resolveWorkload(place, flags.name, ROLLED_KINDS)
  const to = flags.to === undefined ? undefined : await resolveWorkload(place, flags.to, [kind])
  const file = flags.file === undefined ? undefined : await readTemplate(flags.file, kind as RollKind, name)
  const pinner = createPinner(flags.pin, io, place)
  if (file?.template.spec) await pinner.spec(file.template.spec)
  const options: RollOptions = {
    ...paceOf(flags, io, place, { kind: kind as RollKind, name }),
    ...(flags.images.length > 0 && { images: await pinnedImages(flags.images, pinner) }),
    template: file?.template,
    toName: to?.name ?? file?.toName,
  }
  if (flags.dryRun) return preview(options, io, flags.json)
  const namespace = place.namespace === 'default' ? '' : ` -n ${place.namespace}`
  const again = [
    'skiff roll',
    flags.name,
    flags.to,
    ...flags.images.map((image) => `--image ${image}`),
    flags.file && `-f ${flags.file}`,
  ]
  const hints = [
    `to go on:   ${again.filter(Boolean).join(' ')}${namespace}`,
    `to go back: skiff rollback ${flags.name}${namespace}`,
  ]
  return showRoll(roll(options), io, { json: flags.json, hints })
}

export function paceOf(flags: PaceFlags, io: Io, place: Place, target: RollbackOptions['target']): RollbackOptions {
  return {
    client: place.client,
    clock: systemClock,
    namespace: place.namespace,
    target,
    maxSurge: amount(flags.maxSurge, '--max-surge'),
    maxUnavailable: amount(flags.maxUnavailable, '--max-unavailable'),
    minReadySeconds: flags.minReady,
    timeoutMs: flags.timeoutMs,
    deadlineMs: flags.deadlineMs,
    updatePeriodMs: flags.updatePeriodMs,
    signal: io.signal,
  }
}

function amount(text: string | undefined, flag: string): number | string | undefined {
  if (text === undefined) return undefined
  if (/^[0-9]+$/.test(text)) return Number(text)
  if (/^[0-9]+%$/.test(text)) return text
  throw new CommandError(`${flag} takes a count or a percentage, not ${JSON.stringify(text)}`)
}

/** Container names hold no slash, colon or at sign, so what stands before `=` is one exactly when it has none. */
function imagesOf(texts: readonly string[]): Record<string, string> {
  const images: Record<string, string> = {}
  for (const text of texts) {
    const [, container = '*', image = text] = /^([a-z0-9-]+)=(.+)$/.exec(text) ?? []
    if (Object.hasOwn(images, container))
      throw new CommandError(
        container === '*' ? 'several images: say CONTAINER=IMAGE for each' : `--image ${container}= stands twice`,
      )
    images[container] = image
  }
  return images
}

async function pinnedImages(texts: readonly string[], pinner: Pinner): Promise<Record<string, string>> {
  const images = Object.entries(imagesOf(texts))
  return Object.fromEntries(await Promise.all(images.map(async ([container, image]) => [container, await pinner.image(image)])))
}

interface FileContent {
  kind?: string
  metadata?: { name?: string }
  spec?: { template?: PodTemplateSpec }
}

async function readTemplate(path: string, kind: RollKind, name: string): Promise<{ template: PodTemplateSpec; toName?: string }> {
  const { load } = await import('js-yaml')
  let content: FileContent | null
  try {
    content = load(await readFile(path, 'utf8')) as FileContent | null
  } catch (error) {
    throw new CommandError(`${path}: ${(error as Error).message.split('\n')[0]}`, 1, { cause: error })
  }
  if (content?.kind !== kind)
    throw new CommandError(`${path}: a ${kind} is needed, as ${name} is one; there is ${content?.kind ?? 'no kind'}`)
  const template = content.spec?.template
  if (!template) throw new CommandError(`${path}: spec.template is missing`)
  const toName = content.metadata?.name
  return toName === undefined || toName === name ? { template } : { template, toName }
}

async function preview(options: RollOptions, io: Io, json: boolean): Promise<number> {
  const plan = await previewRoll(options).catch((error: unknown) => {
    throw told(error)
  })
  writeLine(io.stdout, json ? JSON.stringify({ type: 'plan', ...plan }) : plan.message)
  return plan.isConflict ? CONFLICT : 0
}
