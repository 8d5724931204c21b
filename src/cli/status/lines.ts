/** A report as lines for a reader: first whether it works and why not, then what there is to see. Decides, prints nothing. */
import { age } from '../age.ts'
import { times } from '../tree/state.ts'
import type { Cause } from '../why/cause.ts'
import { alike } from './pods.ts'
import type { CrashReport, PodReport, Report, RolloutReport, Verdict } from './report.ts'

export interface ReportLook {
  readonly nowMs: number
  readonly namespace: string
  readonly colors: boolean
}

const SAYS: Readonly<Record<Verdict, string>> = {
  works: 'works',
  partly: 'works in part',
  broken: 'does not work',
  stopped: 'is stopped',
}
const PLAIN = '\x1b[0m'
const COLORS: Readonly<Record<Verdict, string>> = {
  works: '\x1b[32m',
  partly: '\x1b[33m',
  broken: '\x1b[31m',
  stopped: '\x1b[33m',
}
/** Where what a section says begins. */
const COLUMN = 12
/** Groups of pods that ail from the same. */
const MAX_GROUPS = 5

export function reportLines(report: Report, look: ReportLook): string[] {
  const { handle, namespace, verdict, why } = report
  const where = namespace !== undefined && namespace !== look.namespace ? ` (in ${namespace})` : ''
  const says = look.colors ? `${COLORS[verdict]}${SAYS[verdict]}${PLAIN}` : SAYS[verdict]
  return [
    `${handle}${where} ${says}: ${oneLine(why)}`,
    ...section('also', alsoLines(report)),
    ...section('replicas', replicaLines(report)),
    ...section('rollout', rolloutLines(report)),
    ...section('pods', podLines(report, look)),
    ...section('services', serviceLines(report)),
    ...section('warnings', eventLines(report, look)),
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? title : '').padEnd(COLUMN - 2)}${line}`)
}

/** Root causes besides the first, each kind of them once. */
function alsoLines({ rootCauses, handle, pods }: Report): string[] {
  const bare = (cause: Cause) => cause.why.replaceAll(cause.subject.replace(/^.*?\//, ''), '*')
  const [first, ...others] = rootCauses
  const seen = new Set(first ? [bare(first)] : [])
  return others.flatMap((cause) => {
    const isKnown = seen.has(bare(cause)) || cause.subject === handle || cause.repeated
    seen.add(bare(cause))
    // What is told of the pods below need not be told twice.
    const isPod = pods?.notWell.some(({ name }) => cause.subject.startsWith(`pod/${name}`))
    return isKnown || isPod ? [] : [oneLine(`${cause.subject}: ${cause.why}`)]
  })
}

function replicaLines({ replicas, verdict }: Report): string[] {
  if (!replicas || verdict === 'stopped') return []
  const { wanted, updated, ready, available } = replicas
  return [`${ready} of ${wanted} ready, ${updated} updated, ${available} available`]
}

/** What is to be typed where a rollout stands like this; `back` only where there was something before. */
const ROLLOUTS: Readonly<Record<RolloutReport['state'], { says: string; on?: string; back?: string }>> = {
  complete: { says: 'complete' },
  rolling: { says: 'under way', back: 'rollback' },
  held: { says: 'a canary runs', on: 'promote', back: 'abort' },
  paused: { says: 'paused', on: 'resume', back: 'rollback' },
  stuck: { says: 'stuck: the server has given up', back: 'rollback' },
}

function rolloutLines({ rollout, handle, verdict }: Report): string[] {
  if (!rollout || verdict === 'stopped') return []
  const { says, on, back } = ROLLOUTS[rollout.state]
  const partner = rollout.partner === undefined || rollout.state === 'complete' ? '' : ` (the other side is ${rollout.partner})`
  const ways = [
    ...(on ? [`"skiff ${on} ${handle}" goes on`] : []),
    ...(back && rollout.canGoBack ? [`"skiff ${back} ${handle}" goes back`] : []),
  ]
  return [[says + partner, ways.join(', ')].filter(Boolean).join('; ')]
}

function podLines(report: Report, look: ReportLook): string[] {
  const { pods, replicas } = report
  if (!pods) return []
  const groups = alike(pods.notWell)
  const done = pods.done > 0 ? `, ${pods.done} done` : ''
  // What the replicas say is not said again.
  const isSaid = report.kind === 'Pod' || (replicas?.wanted === pods.all && replicas.ready === pods.ready)
  const count = isSaid ? [] : [`${pods.ready} of ${pods.all} ready${done}`]
  const more = groups.length > MAX_GROUPS ? [`and ${groups.length - MAX_GROUPS} others that are not well`] : []
  return [...count, ...groups.slice(0, MAX_GROUPS).flatMap((group) => groupLines(group, look)), ...more]
}

function groupLines(group: readonly PodReport[], { nowMs }: ReportLook): string[] {
  const [first, ...others] = group as [PodReport, ...PodReport[]]
  const since = first.since === undefined ? '' : `, for ${age(first.since, nowMs)}`
  const names = others.map(({ name }) => name)
  const like =
    names.length === 0
      ? []
      : [`  likewise ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`]
  return [
    `pod/${first.name}: ${oneLine(first.why).replace(/\.$/, '')}${since}`,
    ...first.crashes.flatMap((crash) => crashLines(crash, nowMs)),
    ...like,
  ]
}

function crashLines({ container, exitCode, reason, restarts, at, lastLines }: CrashReport, nowMs: number): string[] {
  const when = at === undefined ? '' : ` ${age(at, nowMs)} ago`
  const again = restarts > 0 ? `, restarted ${times(restarts)}` : ''
  const text = `container ${container} ended with exit code ${exitCode}${reason ? ` (${reason})` : ''}${when}${again}`
  const written = lastLines?.filter((line) => line.trim() !== '') ?? []
  if (written.length === 0) return [`  ${text}`]
  return [`  ${text}; it last wrote`, ...written.map((line) => `  | ${line}`)]
}

function serviceLines({ services, kind }: Report): string[] {
  return (services ?? []).map(({ name, text, ready, endpoints }) => {
    const counts = `${ready} of ${endpoints} endpoints ready`
    return kind === 'Service' ? `${text}, ${counts}` : `service/${name}: ${text}, ${counts}`
  })
}

/** Without what is told already: in the reasons, or by the end of a container that the node then waits to start again. */
function eventLines(report: Report, { nowMs }: ReportLook): string[] {
  const { events = [], why, pods } = report
  const told = [why, ...(pods?.notWell.map((pod) => pod.why) ?? [])]
  const crashed = new Set(pods?.notWell.flatMap(({ name, crashes }) => (crashes.length > 0 ? [`pod/${name}`] : [])))
  return events
    .filter(({ reason, object }) => reason !== 'BackOff' || !crashed.has(object))
    .filter(({ message }) => message === '' || !told.some((text) => text.includes(message.replace(/^Error: /, ''))))
    .map(({ object, others, reason, message, count, at }) => {
      const who = others === undefined ? object : `${object} and ${others} more`
      const often = count > 1 ? ` (x${count})` : ''
      return oneLine(`${age(at, nowMs)} ago ${who} ${reason}${often}: ${message}`)
    })
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}
