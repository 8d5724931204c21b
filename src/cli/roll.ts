/** `skiff roll`: from what is given on the command line to a roll, and its exit code. */
import { readFile } from 'node:fs/promises'
import type { PodTemplateSpec } from '../api/types.ts'
import { previewRoll, type RollKind, type RollOptions, roll } from '../rollout/index.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { createPinner, type Pinner } from './pin.ts'
import type { PinMode } from './pin-modes.ts'
import { showRoll, told } from './roll-output.ts'
import { amount, commandLine, type Driver, drivingOptions, type PaceFlags, waysOn } from './roll-pace.ts'
import { type Place, resolveRolled, resolveWorkload } from './workload-names.ts'

export interface RollFlags extends PaceFlags {
  /** `web`, `rc/web`. */
  name: string
  /** The second of two names. */
  to?: string | undefined
  /** `IMAGE` or `CONTAINER=IMAGE`, each. */
  images: readonly string[]
  file?: string | undefined
  dryRun: boolean
  pet?: boolean | undefined
  canary?: string | undefined
  rollover?: boolean | undefined
  /** How many old controllers stay. */
  keep?: number | undefined
  cleanup?: 'keep' | 'delete' | undefined
  pin?: PinMode | undefined
}

const CONFLICT = 3

export async function runRoll(flags: RollFlags, io: Io, place: Place, driver: Driver): Promise<number> {
  refuseContradictions(flags)
  const target = await resolveRolled(place, flags.name)
  const to = flags.to === undefined ? undefined : await resolveWorkload(place, flags.to, [target.kind])
  const file = flags.file === undefined ? undefined : await readTemplate(flags.file, target.kind, target.name)
  const pinner = createPinner(flags.pin, io, place)
  if (file?.template.spec) await pinner.spec(file.template.spec)
  const options: RollOptions = {
    ...(await drivingOptions({ flags, io, place, target, driver, command: commandOf(flags) })),
    ...(flags.images.length > 0 && { images: await pinnedImages(flags.images, pinner) }),
    ...{ template: file?.template, toName: to?.name ?? file?.toName },
    ...{ pet: flags.pet, rollover: flags.rollover, keep: flags.keep, cleanup: flags.cleanup },
    canary: amount(flags.canary, '--canary'),
  }
  if (flags.dryRun) return preview(options, io, flags.json)
  return showRoll(roll(options), io, { json: flags.json, hints: waysOn(flags.name, target, place) })
}

function refuseContradictions({ images, file, to, keep, cleanup }: RollFlags): void {
  if (images.length === 0 && file === undefined && to === undefined)
    throw new CommandError('to what? Give --image, -f or the name of another controller')
  if (to !== undefined && (file !== undefined || images.length > 0))
    throw new CommandError('a second name stands alone: --image and -f do not go with it')
  if (keep !== undefined && cleanup === 'delete') throw new CommandError('--keep and --cleanup=delete contradict each other')
}

/** Without what only matters while it runs. */
function commandOf({ name, to, images, file, canary, pet, rollover }: RollFlags): string {
  return commandLine([
    ...['skiff', 'roll', name, to],
    ...images.flatMap((image) => ['--image', image]),
    ...(file === undefined ? [] : ['-f', file]),
    ...(canary === undefined ? [] : ['--canary', canary]),
    pet ? '--pet' : undefined,
    rollover ? '--rollover' : undefined,
  ])
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
  if (json) writeLine(io.stdout, JSON.stringify({ type: 'plan', ...plan }))
  else for (const line of [plan.message, ...plan.steps.map((step) => `  ${step}`)]) writeLine(io.stdout, line)
  return plan.isConflict ? CONFLICT : 0
}
