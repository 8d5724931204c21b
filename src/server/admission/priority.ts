/** Turns a pod's priority class into its priority and preemption policy, and keeps the default class single. */
import type { KubeObject } from '../../api/object.ts'
import type { Pod, PodSpec, PriorityClass } from '../../api/types.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from './contract.ts'
import { isAbout, refused } from './refusal.ts'

const GROUP = 'scheduling.k8s.io'
const DEFAULT_POLICY = 'PreemptLowerPriority'

interface Computed {
  name: string
  priority: number
  policy: string
}

const NO_CLASS: Computed = { name: '', priority: 0, policy: DEFAULT_POLICY }

export function priority(reader: ObjectReader, signal: AbortSignal): AdmissionPlugin {
  // Asked for by every pod, changed almost never.
  let byDefault: Computed | undefined
  const forget = () => {
    byDefault = undefined
  }
  signal.addEventListener('abort', reader.watch(GROUP, 'priorityclasses', forget), { once: true })
  const defaultClass = () => {
    byDefault ??= findDefault(reader.list(GROUP, 'priorityclasses'))
    return byDefault
  }
  return {
    name: 'Priority',
    handles: (request) =>
      (request.operation === 'CREATE' || request.operation === 'UPDATE') &&
      (isAbout(request, '', 'pods') || isAbout(request, GROUP, 'priorityclasses')),
    mutate(request) {
      if (request.definition.plural !== 'pods') return
      const spec = (request.object as Pod | undefined)?.spec
      if (!spec) return
      if (request.operation === 'UPDATE') keep(spec, (request.old as Pod | undefined)?.spec)
      else set(request, spec, spec.priorityClassName ? lookUp(request, reader, spec.priorityClassName) : defaultClass())
    },
    validate(request) {
      if (request.definition.plural === 'priorityclasses') checkSingleDefault(request, reader)
    },
  }
}

/** The lowest of the classes that say they are the default. */
function findDefault(classes: readonly KubeObject[]): Computed {
  const defaults = (classes as PriorityClass[])
    .filter((each) => each.globalDefault)
    .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))
  return defaults[0] ? computed(defaults[0]) : NO_CLASS
}

function lookUp(request: AdmissionRequest, reader: ObjectReader, name: string): Computed {
  const found = reader.get(GROUP, 'priorityclasses', '', name) as PriorityClass | undefined
  if (!found) throw refused(request, `no PriorityClass with name ${name} was found`)
  return computed(found)
}

function computed({ metadata, value, preemptionPolicy }: PriorityClass): Computed {
  return { name: metadata.name ?? '', priority: value ?? 0, policy: preemptionPolicy ?? DEFAULT_POLICY }
}

function set(request: AdmissionRequest, spec: PodSpec, { name, priority, policy }: Computed): void {
  const why = (what: string, given: unknown, wanted: unknown) =>
    `${what} (${given}) must not be provided in pod spec; priority admission controller computed ${wanted} from the given PriorityClass name`
  if (spec.priority !== undefined && spec.priority !== null && spec.priority !== priority) {
    throw refused(request, why('the integer value of priority', spec.priority, priority))
  }
  if (spec.preemptionPolicy && spec.preemptionPolicy !== policy) {
    throw refused(request, why('the string value of PreemptionPolicy', spec.preemptionPolicy, policy))
  }
  if (name) spec.priorityClassName = name
  spec.priority = priority
  spec.preemptionPolicy = policy
}

/** A client that does not know these fields does not lose them. */
function keep(spec: PodSpec, old: PodSpec | undefined): void {
  if (old?.priority !== undefined) spec.priority ??= old.priority
  if (old?.preemptionPolicy !== undefined) spec.preemptionPolicy ??= old.preemptionPolicy
}

function checkSingleDefault(request: AdmissionRequest, reader: ObjectReader): void {
  if (!(request.object as PriorityClass | undefined)?.globalDefault) return
  const other = (reader.list(GROUP, 'priorityclasses') as PriorityClass[]).find(
    (each) => each.globalDefault && each.metadata.name !== request.object?.metadata.name,
  )
  if (!other) return
  const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`
  throw refused(request, why)
}
