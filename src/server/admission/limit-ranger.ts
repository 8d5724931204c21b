/** LimitRanges: default requests and limits of containers, and the bounds that containers, pods and claims keep to. */
import { formatQuantity, parseQuantity, type Quantity, quantityMilliValue } from '../../api/quantity.ts'
import { type Amounts, amountsOf, podTotals } from '../../api/quota/pod-totals.ts'
import type { Container, LimitRange, LimitRangeItem, Pod, PodSpec } from '../../api/types.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from './contract.ts'
import { followByNamespace } from './followed.ts'
import { isAbout, joinComplaints, refused } from './refusal.ts'

const ANNOTATION = 'kubernetes.io/limit-ranger'

export function limitRanger(reader: ObjectReader, signal: AbortSignal): AdmissionPlugin {
  const rangesIn = followByNamespace(reader, '', 'limitranges', signal)
  return {
    name: 'LimitRanger',
    handles: (request) =>
      rangesIn(request.namespace).length > 0 &&
      ((request.operation === 'CREATE' && (isAbout(request, '', 'pods') || isAbout(request, '', 'persistentvolumeclaims'))) ||
        (request.operation === 'UPDATE' && (isAbout(request, '', 'persistentvolumeclaims') || isResize(request)))),
    mutate(request) {
      const pod = request.object as Pod | undefined
      if (request.operation !== 'CREATE' || request.definition.plural !== 'pods' || !pod?.spec) return
      for (const range of rangesIn(request.namespace)) setDefaults(pod, pod.spec, range as LimitRange)
    },
    validate(request) {
      for (const range of rangesIn(request.namespace)) {
        const complaints = ((range as LimitRange).spec?.limits ?? []).flatMap((item) => check(request, item))
        if (complaints.length > 0) throw refused(request, joinComplaints(complaints))
      }
    },
  }
}

const isResize = ({ definition, subresource }: AdmissionRequest) => definition.plural === 'pods' && subresource === 'resize'

function setDefaults(pod: Pod, spec: PodSpec, range: LimitRange): void {
  const items = (range.spec?.limits ?? []).filter((item) => item.type === 'Container')
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest))
  const limits = Object.assign({}, ...items.map((item) => item.default))
  const notes = [
    ...(spec.containers ?? []).flatMap((container) => setContainerDefaults(container, 'container', requests, limits)),
    ...(spec.initContainers ?? []).flatMap((container) => setContainerDefaults(container, 'init container', requests, limits)),
  ]
  if (notes.length === 0) return
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` }
}

type Texts = Record<string, string>

/** Answers what was set, as the annotation tells it. */
function setContainerDefaults(container: Container, what: string, requests: Texts, limits: Texts): string[] {
  const notes: string[] = []
  const fill = (which: 'requests' | 'limits', defaults: Texts) => {
    const missing = Object.keys(defaults).filter((name) => container.resources?.[which]?.[name] === undefined)
    if (missing.length === 0) return
    const added = Object.fromEntries(missing.map((name) => [name, defaults[name] ?? '']))
    container.resources = { ...container.resources, [which]: { ...container.resources?.[which], ...added } }
    notes.push(`${missing.sort().join(', ')} ${which.slice(0, -1)} for ${what} ${container.name}`)
  }
  fill('requests', requests)
  fill('limits', limits)
  return notes
}

function check(request: AdmissionRequest, item: LimitRangeItem): string[] {
  const { object, definition } = request
  if (definition.plural === 'persistentvolumeclaims') {
    if (item.type !== 'PersistentVolumeClaim') return []
    const asked: Amounts = new Map(amountsOf({ name: '', resources: object?.spec?.resources }, 'requests'))
    return [...checkMin(item, asked, undefined), ...checkMax(item, asked, undefined)]
  }
  const spec = (object as Pod).spec
  if (!spec) return []
  if (item.type === 'Pod') return checkBounds(item, podTotals(spec, 'requests'), podTotals(spec, 'limits'))
  if (item.type !== 'Container') return []
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap((container) =>
    checkBounds(item, new Map(amountsOf(container, 'requests')), new Map(amountsOf(container, 'limits'))),
  )
}

function checkBounds(item: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  return [...checkMin(item, requests, limits), ...checkMax(item, requests, limits), ...checkRatio(item, requests, limits)]
}

/** Claims have no limits, so that only their requests count. */
function checkMin(item: LimitRangeItem, requests: Amounts, limits: Amounts | undefined): string[] {
  return bounds(item.min).flatMap(([name, bound]) => {
    const rule = `minimum ${name} usage per ${item.type} is ${formatQuantity(bound)}`
    const [request, limit] = [requests.get(name), limits?.get(name)]
    if (!request) return [`${rule}.  No request is specified`]
    if (request.nano < bound.nano) return [`${rule}, but request is ${formatQuantity(request)}`]
    return limit && limit.nano < bound.nano ? [`${rule}, but limit is ${formatQuantity(limit)}`] : []
  })
}

function checkMax(item: LimitRangeItem, requests: Amounts, limits: Amounts | undefined): string[] {
  return bounds(item.max).flatMap(([name, bound]) => {
    const rule = `maximum ${name} usage per ${item.type} is ${formatQuantity(bound)}`
    const [request, limit] = [requests.get(name), limits?.get(name)]
    if (!limits && !request) return [`${rule}.  No request is specified`]
    if (limits && !limit) return [`${rule}.  No limit is specified`]
    if (limit && limit.nano > bound.nano) return [`${rule}, but limit is ${formatQuantity(limit)}`]
    return request && request.nano > bound.nano ? [`${rule}, but request is ${formatQuantity(request)}`] : []
  })
}

function checkRatio(item: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  return bounds(item.maxLimitRequestRatio).flatMap(([name, bound]) => {
    const rule = `${name} max limit to request ratio per ${item.type} is ${formatQuantity(bound)}`
    const [request, limit] = [requests.get(name), limits.get(name)]
    if (!request?.nano) return [`${rule}, but no request is specified or request is 0`]
    if (!limit?.nano) return [`${rule}, but no limit is specified or limit is 0`]
    const ratio = Number(limit.nano) / Number(request.nano)
    return ratio * 1000 > quantityMilliValue(bound) ? [`${rule}, but provided ratio is ${ratio.toFixed(6)}`] : []
  })
}

function bounds(texts: Texts | undefined): [string, Quantity][] {
  return Object.entries(texts ?? {}).map(([name, text]) => [name, parseQuantity(text)])
}
