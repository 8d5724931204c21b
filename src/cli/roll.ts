/** `skiff roll`: from what is given on the command line to a roll, and its exit code. */
import type { PodTemplateSpec } from '../api/types.ts'
import { previewRoll, type RollOptions, roll } from '../rollout/index.ts'
import { findOther, findRolled, isKind, type Rolled, type RolledWords, readRolled, rolledIn } from './find-rolled.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import type { Manifest } from './manifests.ts'
import { createPinner, type Pinner } from './pin.ts'
import type { PinMode } from './pin-modes.ts'
import { showRoll, told } from './roll-output.ts'
import { amount, commandLine, type Driver, drivingOptions, type PaceFlags, waysOn } from './roll-pace.ts'
import type { Session } from './session.ts'

export interface RollFlags extends PaceFlags, Pick<RolledWords, 'namespace'> {
  /** `web`, `rc/web`, `rc web`; and behind it the name of the controller to roll to. */
  words: readonly string[]
  /** `IMAGE` or `CONTAINER=IMAGE`, each. */
  images: readonly string[]
  /** Its template is rolled to; without words, it names the workload too. */
  file?: string | undefined
  /** As `skiff history` numbers them. */
  toRevision?: number | undefined
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

export async function runRoll(flags: RollFlags, io: Io, session: Session, driver: Driver): Promise<number> {
  const { words, to } = await splitWords(flags.words, session)
  refuseContradictions(flags, to)
  const { rolled, file } = await sourceOf(flags, words, session, io)
  const toName = to === undefined ? file?.toName : await findOther(to, rolled, io)
  const pinner = createPinner(flags.pin, io, rolled.place)
  if (file?.template.spec) await pinner.spec(file.template.spec)
  const options: RollOptions = {
    ...(await drivingOptions({ flags, io, rolled, driver, command: commandOf(flags) })),
    ...(flags.images.length > 0 && { images: await pinnedImages(flags.images, pinner) }),
    ...{ template: file?.template, toName, toRevision: flags.toRevision },
    ...{ pet: flags.pet, rollover: flags.rollover, keep: flags.keep, cleanup: flags.cleanup },
    canary: amount(flags.canary, '--canary'),
  }
  if (flags.dryRun) return preview(options, io, flags.json)
  return showRoll(roll(options), io, { json: flags.json, hints: waysOn(rolled) })
}

/** The words of the workload, and the one of where it is to go. */
async function splitWords(
  words: readonly string[],
  session: Session,
): Promise<{ words: readonly string[]; to: string | undefined }> {
  const [first] = words
  const own = first !== undefined && words.length > 1 && (await isKind(first, session)) ? 2 : 1
  if (words.length > own + 1)
    throw new CommandError(
      `one workload is rolled at a time, to one other at most: ${words.slice(own + 1).join(' ')} is too much`,
    )
  return { words: words.slice(0, own), to: words[own] }
}

function refuseContradictions({ images, file, toRevision, keep, cleanup, words }: RollFlags, to: string | undefined): void {
  if (words.length === 0 && file === undefined) throw new CommandError('a name is needed, or a kind and a name, or -f FILE')
  if (images.length === 0 && file === undefined && to === undefined && toRevision === undefined)
    throw new CommandError('to what? Give --image, -f, --to-revision or the name of another controller')
  if (toRevision !== undefined && (file !== undefined || images.length > 0 || to !== undefined))
    throw new CommandError(
      '--to-revision stands alone: a revision is gone to as it was, and no --image, -f or second name goes with it',
    )
  if (to !== undefined && (file !== undefined || images.length > 0))
    throw new CommandError('a second name stands alone: --image and -f do not go with it')
  if (keep !== undefined && cleanup === 'delete') throw new CommandError('--keep and --cleanup=delete contradict each other')
}

interface FileContent {
  template: PodTemplateSpec
  /** Another name than the workload's: that of the controller to make. */
  toName: string | undefined
}

/** Named by words, or by the file that has its new template. */
async function sourceOf(
  { file: path, namespace }: RollFlags,
  words: readonly string[],
  session: Session,
  io: Io,
): Promise<{ rolled: Rolled; file: FileContent | undefined }> {
  if (path === undefined) return { rolled: await findRolled({ words }, 'roll', session, io), file: undefined }
  if (words.length === 0) {
    const manifest = await readRolled(path, undefined, io)
    const rolled = await rolledIn(manifest, namespace, session)
    return { rolled, file: contentOf(manifest, rolled) }
  }
  const rolled = await findRolled({ words }, 'roll', session, io)
  const manifest = await readRolled(path, rolled, io)
  const { namespace: own } = manifest.object.metadata
  if (own !== undefined && own !== rolled.place.namespace)
    throw new CommandError(`${path}: its namespace is ${own}, that of ${rolled.name} is ${rolled.place.namespace}`)
  return { rolled, file: contentOf(manifest, rolled) }
}

function contentOf({ object, source }: Manifest, { target }: Rolled): FileContent {
  const template = (object.spec as { template?: PodTemplateSpec } | undefined)?.template
  if (!template) throw new CommandError(`${source}: spec.template is missing`)
  const { name } = object.metadata
  return { template, toName: name === target.name ? undefined : name }
}

/** Without what only matters while it runs. */
function commandOf({ words, images, file, toRevision, canary, pet, rollover }: RollFlags): string {
  return commandLine([
    ...['skiff', 'roll', ...words],
    ...images.flatMap((image) => ['--image', image]),
    ...(file === undefined ? [] : ['-f', file]),
    ...(toRevision === undefined ? [] : ['--to-revision', String(toRevision)]),
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

async function preview(options: RollOptions, io: Io, json: boolean): Promise<number> {
  const plan = await previewRoll(options).catch((error: unknown) => {
    throw told(error)
  })
  if (json) writeLine(io.stdout, JSON.stringify({ type: 'plan', ...plan }))
  else for (const line of [plan.message, ...plan.steps.map((step) => `  ${step}`)]) writeLine(io.stdout, line)
  return plan.isConflict ? CONFLICT : 0
}
