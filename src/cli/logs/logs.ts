/** `skiff logs`: the output of one container, or of several as one stream. */
import type { Pod } from '../../api/types.ts'
import { CommandError, INTERRUPTED, type Io, writeLine } from '../io.ts'
import { inParallel } from '../names/metadata.ts'
import { type GlobalOptions, type Session, withSession } from '../session.ts'
import { wantsColors } from '../wants-colors.ts'
import { type ContainerChoice, checkChoice, chosenContainers, noContainer } from './containers.ts'
import { type Look, parseGrep } from './look.ts'
import { Output } from './output.ts'
import { Printer } from './printer.ts'
import { type Extent, type Log, openLog } from './read.ts'
import { listPods, type Selection, selectPods } from './selection.ts'

export interface LogsOptions extends GlobalOptions, ContainerChoice {
  words: readonly string[]
  selector?: string | undefined
  allMatches?: boolean
  follow?: boolean
  previous?: boolean
  /** Milliseconds. */
  since?: number
  sinceTime?: string
  tail?: number
  limitBytes?: number
  timestamps?: boolean
  prefix?: 'on' | 'off' | 'auto'
  color?: 'auto' | 'always' | 'never'
  grep?: string
  ignoreCase?: boolean
  invertMatch?: boolean
  maxLogRequests?: number
}

/** With a selector, the last lines of each container only, unless told otherwise. */
const SELECTOR_TAIL = 10
/** Logs read at once; each is a connection. */
const MAX_LOG_REQUESTS = 50

export async function runLogs(options: LogsOptions, io: Io): Promise<number> {
  checkOptions(options)
  const grep = options.grep === undefined ? undefined : parseGrep(options.grep, options)
  return withSession(options, io, async (session) => {
    const { selections, options: chosen } = await findSelections(options, session)
    const found = await inParallel(selections, (selection) => listPods(selection, session, io.signal))
    const pods = [...new Map(found.flat().map((pod) => [pod.metadata.uid, pod])).values()]
    const logs = logsOf(pods, chosen, io)
    const grows = options.follow === true && selections.some(({ lasts }) => lasts !== 'onePod')
    if (pods.length === 0 && !grows) return nothingThere(options, selections, session, io)
    if (pods.length === 0) writeLine(io.stderr, `${namesOf(selections)}: no pods now; waiting for them`)
    const isOne = logs.length === 1 && !grows && selections.length === 1
    const prefix = options.prefix === 'on' || (options.prefix !== 'off' && !isOne)
    const look: Look = { prefix, grep, timestamps: options.timestamps === true, colors: colorsFor(options, io) }
    if (isOne && !prefix && !grep) return copyLog(logs[0]!, options, session, io)
    return readSeveral({ ...chosen, selections, logs, look }, session, io)
  })
}

function checkOptions(options: LogsOptions): void {
  if ((options.words.length === 0) === (options.selector === undefined))
    throw new CommandError('either names or --selector are needed')
  if (options.since !== undefined && options.sinceTime !== undefined)
    throw new CommandError('--since and --since-time cannot be given together')
  if (options.sinceTime !== undefined && Number.isNaN(Date.parse(options.sinceTime)))
    throw new CommandError(`--since-time takes a time such as 2026-01-31T15:04:05Z, not ${JSON.stringify(options.sinceTime)}`)
  if (options.grep === undefined && (options.ignoreCase || options.invertMatch))
    throw new CommandError(`--${options.ignoreCase ? 'ignore-case' : 'invert-match'} belongs to --grep`)
  checkChoice(options)
}

/** `POD CONTAINER` is what kubectl took once: a second word that means nothing else is the first one's container. */
async function findSelections(
  options: LogsOptions,
  session: Session,
): Promise<{ selections: Selection[]; options: LogsOptions }> {
  try {
    return { selections: await selectPods(options, session), options }
  } catch (error) {
    const [pod = '', container = '', ...more] = options.words
    if (!(error instanceof CommandError) || !container || more.length > 0 || options.container !== undefined) throw error
    const selections = await selectPods({ words: [pod] }, session).catch(() => [])
    const [only] = selections.length === 1 && selections[0]!.lasts === 'onePod' ? await listPods(selections[0]!, session) : []
    const chosen = { ...options, container }
    if (!only || chosenContainers(only, chosen).names.length === 0) throw error
    return { selections, options: chosen }
  }
}

/** Notes on what was chosen where nobody chose are printed once each. Throws CommandError when no pod has what is asked for. */
function logsOf(pods: readonly Pod[], options: LogsOptions, io: Io): Log[] {
  const notes = new Set<string>()
  const logs = pods.flatMap((pod) => {
    const { names, note } = chosenContainers(pod, options)
    if (note) notes.add(note)
    return names.map((container): Log => ({ pod, container }))
  })
  for (const note of notes) writeLine(io.stderr, note)
  if (pods[0] && logs.length === 0) throw noContainer(pods[0], options)
  return logs
}

function nothingThere(options: LogsOptions, selections: readonly Selection[], session: Session, io: Io): number {
  if (options.selector === undefined) throw new CommandError(`${namesOf(selections)}: no pods now`)
  writeLine(io.stderr, `No resources found in ${session.namespace} namespace.`)
  return 0
}

function namesOf(selections: readonly Selection[]): string {
  return selections.map(({ what }) => what).join(', ')
}

function colorsFor({ color = 'auto' }: LogsOptions, io: Io): boolean {
  return color === 'auto' ? wantsColors(io) : color === 'always'
}

function extentOf(options: LogsOptions): Extent {
  const { since, tail = options.selector === undefined ? undefined : SELECTOR_TAIL } = options
  return {
    previous: options.previous,
    sinceSeconds: since === undefined ? undefined : Math.max(1, Math.ceil(since / 1000)),
    sinceTime: options.sinceTime,
    tailLines: tail === undefined || tail < 0 ? undefined : tail,
    limitBytes: options.limitBytes,
  }
}

/** Byte for byte what the server sends. */
async function copyLog(log: Log, options: LogsOptions, session: Session, io: Io): Promise<number> {
  const { follow, timestamps } = options
  const output = new Output(io.stdout, io.signal)
  try {
    const stream = await openLog(log, { ...extentOf(options), follow, timestamps }, session, io.signal)
    for await (const chunk of stream) await output.write(chunk as Buffer)
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
  return io.signal.aborted ? INTERRUPTED : 0
}

interface Several extends LogsOptions {
  selections: readonly Selection[]
  logs: readonly Log[]
  look: Look
}

async function readSeveral(options: Several, session: Session, io: Io): Promise<number> {
  const { selections, logs, look, maxLogRequests: limit = MAX_LOG_REQUESTS } = options
  if (logs.length > limit)
    throw new CommandError(
      `these are ${logs.length} logs, and ${limit} are read at once at most; choose fewer, or allow more with --max-log-requests`,
    )
  const printer = new Printer(look, new Output(io.stdout, io.signal), io.stderr)
  const reading = { extent: extentOf(options), printer, session, signal: io.signal }
  try {
    if (options.follow && !options.previous) {
      const { followLogs } = await import('./follow.ts')
      await followLogs({ ...reading, selections, logs, limit, choice: options })
    } else {
      const { printMerged } = await import('./merged.ts')
      await printMerged(logs, reading)
    }
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
  if (io.signal.aborted) return INTERRUPTED
  return printer.hasFailed ? 1 : 0
}
