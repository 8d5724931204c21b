/** `skiff autoscale`: an autoscaler for whatever can be scaled. Said again, it changes the one there is. */
import { tryParseQuantity } from '../api/quantity.ts'
import type { HorizontalPodAutoscaler, MetricSpec } from '../api/types.ts'
import { horizontalPodAutoscalers } from '../client/resources.ts'
import { CommandError, type Io } from './io.ts'
import { NEEDS } from './names/needs.ts'
import { tellOutcome } from './outcome.ts'
import { parseOutput } from './print-objects.ts'
import { type Selected, type SelectOptions, selectObjects } from './select-objects.ts'
import { withSession } from './session.ts'
import { displayName } from './targets.ts'

export interface AutoscaleOptions extends SelectOptions {
  min: number
  max: number
  /** `80%` of what is requested, or an amount for each pod. */
  cpu?: string | undefined
  memory?: string | undefined
  dryRun?: boolean | undefined
  output?: string | undefined
}

const DEFAULT_CPU = '80%'

export async function runAutoscale(options: AutoscaleOptions, io: Io): Promise<number> {
  const { min, max, cpu, memory, dryRun } = options
  const format = parseOutput(options.output)
  if (max < min) throw new CommandError(`--max ${max} is less than --min ${min}`)
  const metrics = [
    ...(memory === undefined || cpu !== undefined ? [metric('cpu', cpu ?? DEFAULT_CPU)] : []),
    ...(memory === undefined ? [] : [metric('memory', memory)]),
  ]
  return withSession(options, io, async (session) => {
    const selected = await selectObjects(options, session, io, NEEDS.autoscale)
    for (const { resource } of selected)
      if (!resource.subresources.includes('scale')) throw new CommandError(`${resource.plural} cannot be scaled`)
    const resource = await session.discovery.forKind('autoscaling/v2', 'HorizontalPodAutoscaler')
    if (!resource) throw new CommandError('this cluster has no autoscaling/v2')
    for (const one of selected) {
      const object = await session.client.patch(horizontalPodAutoscalers, one.name, 'apply', wanted(one, min, max, metrics), {
        ...{ namespace: one.namespace, fieldManager: 'skiff', force: true },
        ...(dryRun && { dryRun: true }),
      })
      const sentence = `${displayName(one.resource, one.name)} autoscaled${dryRun ? ' (server dry run)' : ''}`
      await tellOutcome(sentence, object, resource, format, io)
    }
    return 0
  })
}

function wanted(
  { resource: { group, version, kind }, name, namespace }: Selected,
  minReplicas: number,
  maxReplicas: number,
  metrics: MetricSpec[],
): HorizontalPodAutoscaler {
  const scaleTargetRef = { apiVersion: group ? `${group}/${version}` : version, kind, name }
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace },
    spec: { scaleTargetRef, minReplicas, maxReplicas, metrics },
  }
}

/** Throws CommandError for what is neither a share nor an amount. */
function metric(name: string, text: string): MetricSpec {
  const percent = /^(\d+)%$/.exec(text)?.[1]
  const isAmount = (tryParseQuantity(text)?.nano ?? 0n) > 0n
  if (percent === undefined ? !isAmount : Number(percent) === 0)
    throw new CommandError(
      `--${name} ${JSON.stringify(text)}: it takes a share of what is requested, such as 80%, or an amount such as ${EXAMPLES[name]}`,
    )
  const target =
    percent === undefined
      ? { type: 'AverageValue', averageValue: text }
      : { type: 'Utilization', averageUtilization: Number(percent) }
  return { type: 'Resource', resource: { name, target } }
}

const EXAMPLES: Record<string, string> = { cpu: '500m', memory: '200Mi' }
