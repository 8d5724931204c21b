/**
 * Follows HorizontalPodAutoscalers: every now and then it measures, decides, and sets the scale of the target, whatever its kind is. The
 * status, conditions and events say what it saw and did, in Kubernetes' words.
 */
import { parseQuantity, quantityMilliValue } from '../../api/quantity.ts'
import { isNotFound } from '../../api/status.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HorizontalPodAutoscalerStatus,
  HPAScalingRules,
  Pod,
} from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { horizontalPodAutoscalers, pods } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { messageOf } from '../parts/failures.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import {
  able,
  type Decision,
  decide,
  decideWithoutMetrics,
  inactive,
  metricsOf,
  type Said,
  summarize,
  withConditions,
} from './decide.ts'
import { type Evaluated, evaluate, type Measured, MetricFailure } from './evaluate.ts'
import { AutoscalerMemory } from './memory.ts'
import { MetricsSource } from './metrics-source.ts'
import type { Tolerance } from './proposal.ts'
import { selectorOf, type Target, Targets } from './target.ts'

/** As kube-controller-manager's `--horizontal-pod-autoscaler-sync-period`. */
const SYNC_MS = 15_000
const DEFAULT_TOLERANCE = 0.1

/** One look at one autoscaler: what is going to be written and said of it. */
interface Look {
  readonly context: ReconcileContext
  readonly key: string
  readonly hpa: HorizontalPodAutoscaler
  readonly nowMs: number
  status: HorizontalPodAutoscalerStatus
}

export function horizontalPodAutoscaler(options: { syncMs?: number } = {}): Reconciler {
  const { syncMs = SYNC_MS } = options
  const memory = new AutoscalerMemory()
  let targets: Targets
  let source: MetricsSource
  return {
    name: 'horizontal-pod-autoscaler',
    setup(context, enqueue) {
      targets = new Targets(context.client)
      source = new MetricsSource(context.client, context.signal, (reference) => targets.resourceOf(reference))
      context.informer(pods)
      context.informer(horizontalPodAutoscalers).subscribe(({ key, object, old }) => {
        // What this controller writes itself is no reason to look again.
        if (!object || !old || !sameJson(object.spec, old.spec)) enqueue(key)
      })
    },
    async reconcile(key, context) {
      const hpa = context.informer(horizontalPodAutoscalers).store.get(key)
      if (!hpa) {
        memory.forget(key)
        return undefined
      }
      const status = hpa.status ?? { desiredReplicas: 0 }
      const look: Look = { context, key, hpa, nowMs: context.clock.now(), status }
      await scale(look, memory, targets, source)
      await writeStatus(look)
      return { requeueAfterMs: syncMs }
    },
  }
}

async function scale(look: Look, memory: AutoscalerMemory, targets: Targets, source: MetricsSource): Promise<void> {
  const { hpa, key, nowMs } = look
  const target = await readTarget(look, targets)
  if (!target) return
  say(look, able('True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale"))
  const current = target.scale.spec?.replicas ?? 0
  const history = memory.history(key, current, nowMs)
  let decision: Decision | undefined = decideWithoutMetrics(hpa.spec, current)
  let currentMetrics: HorizontalPodAutoscalerStatus['currentMetrics']
  if (!decision) {
    const summary = await measure(look, target, current, memory, source)
    if (!summary) return
    currentMetrics = [...summary.statuses]
    say(look, summary.condition)
    if (!summary.highest) {
      look.status = { ...look.status, currentReplicas: current, currentMetrics }
      warn(look, 'FailedComputeMetricsReplicas', summary.failure ?? '')
      return
    }
    decision = decide(hpa.spec, current, summary.highest, history, nowMs)
    memory.recommend(key, hpa.spec, summary.highest.replicas, nowMs)
  }
  say(look, ...decision.conditions)
  look.status = { ...look.status, currentReplicas: current, currentMetrics }
  if (decision.replicas !== current && !(await rescale(look, target, current, decision, targets, memory))) return
  look.status = { ...look.status, desiredReplicas: decision.replicas }
}

/** Undefined, and said so, when there is no scale to be had. */
async function readTarget(look: Look, targets: Targets): Promise<Target | undefined> {
  const { hpa, context } = look
  try {
    return await targets.read(hpa.spec.scaleTargetRef, hpa.metadata.namespace ?? '')
  } catch (error) {
    context.signal.throwIfAborted()
    const why = messageOf(error)
    warn(look, 'FailedGetScale', why)
    say(look, able('False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${why}`))
    return undefined
  }
}

/** What the metrics say; undefined when it cannot be told which pods are meant. */
async function measure(look: Look, target: Target, current: number, memory: AutoscalerMemory, source: MetricsSource) {
  const { hpa, context, key, nowMs } = look
  const { namespace = '' } = hpa.metadata
  const found = selectorOf(target)
  if ('problem' in found) {
    const reason = target.scale.status?.selector ? 'InvalidSelector' : 'SelectorRequired'
    return without(look, current, reason, inactive('InvalidSelector', found.problem))
  }
  const selected = context
    .informer(pods)
    .store.list(namespace)
    .filter(({ metadata }) => found.selector.matches(metadata.labels))
  const others = memory.claim(key, selected.map(uidOf))
  if (others.length > 0) {
    const all = [key, ...others].sort().join(' ')
    const problem = `pods by selector ${found.text} are controlled by multiple HPAs: [${all}]`
    return without(look, current, 'AmbiguousSelector', inactive('AmbiguousSelector', problem))
  }
  const measured: Measured = {
    ...{ namespace, selector: found.text, currentReplicas: current, statusReplicas: target.scale.status?.replicas ?? 0 },
    ...{ pods: selected, tolerance: toleranceOf(hpa.spec), nowMs },
  }
  const outcomes: (Evaluated | MetricFailure)[] = []
  for (const spec of metricsOf(hpa.spec)) {
    try {
      outcomes.push(await evaluate(spec, measured, source))
    } catch (error) {
      if (!(error instanceof MetricFailure)) throw error
      warn(look, error.reason, error.message)
      outcomes.push(error)
    }
  }
  return summarize(outcomes, current)
}

function without(look: Look, current: number, reason: string, condition: Said): undefined {
  warn(look, reason, condition.message ?? '')
  say(look, condition)
  look.status = { ...look.status, currentReplicas: current }
}

/** False, and said so, when the target could not be changed. */
async function rescale(
  look: Look,
  target: Target,
  current: number,
  { replicas, reason }: Decision,
  targets: Targets,
  memory: AutoscalerMemory,
): Promise<boolean> {
  const { hpa, key, context, nowMs } = look
  const what = `New size: ${replicas}; reason: ${reason}`
  try {
    await targets.write(target, replicas)
  } catch (error) {
    context.signal.throwIfAborted()
    warn(look, 'FailedRescale', `${what}; error: ${messageOf(error)}`)
    say(look, able('False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${messageOf(error)}`))
    return false
  }
  say(look, able('True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${replicas}`))
  context.event(hpa, { type: 'Normal', reason: 'SuccessfulRescale', message: what })
  memory.scaled(key, hpa.spec, current, replicas, nowMs)
  look.status = { ...look.status, lastScaleTime: timestamp(context.clock) }
  return true
}

function say(look: Look, ...said: Said[]): void {
  const conditions = withConditions(look.status.conditions ?? [], said, timestamp(look.context.clock))
  look.status = { ...look.status, conditions }
}

function warn({ context, hpa }: Look, reason: string, message: string): void {
  context.event(hpa, { type: 'Warning', reason, message })
}

function toleranceOf({ behavior }: HorizontalPodAutoscalerSpec): Tolerance {
  const of = (rules: HPAScalingRules | undefined) =>
    rules?.tolerance === undefined ? DEFAULT_TOLERANCE : quantityMilliValue(parseQuantity(rules.tolerance)) / 1000
  return { up: of(behavior?.scaleUp), down: of(behavior?.scaleDown) }
}

const uidOf = ({ metadata: { uid = '' } }: Pod): string => uid

async function writeStatus({ context, hpa, status }: Look): Promise<void> {
  if (sameJson(withoutNull(status), withoutNull(hpa.status))) return
  try {
    await context.client.updateStatus(horizontalPodAutoscalers, { ...copyOf(hpa), status: copyOf(status) })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** No metrics are written as null. */
function withoutNull(status: HorizontalPodAutoscalerStatus | undefined): object {
  return { ...status, currentMetrics: status?.currentMetrics ?? undefined }
}
