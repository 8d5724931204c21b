/** A pod's runtime class says what running it costs on top, and which nodes have that runtime. */
import type { Pod, RuntimeClass } from '../../api/types.ts'
import { equalJson } from '../objects/json.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from './contract.ts'
import { isAbout, refused } from './refusal.ts'

export function runtimeClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, '', 'pods'),
    mutate(request) {
      const spec = (request.object as Pod | undefined)?.spec
      if (!spec) return
      if (!spec.runtimeClassName) {
        if (spec.overhead && Object.keys(spec.overhead).length > 0) {
          throw refused(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
        }
        return
      }
      const found = reader.get('node.k8s.io', 'runtimeclasses', '', spec.runtimeClassName) as RuntimeClass | undefined
      if (!found) throw refused(request, `pod rejected: RuntimeClass ${JSON.stringify(spec.runtimeClassName)} not found`)
      setOverhead(request, spec, found)
      setScheduling(request, spec, found)
    },
  }
}

function setOverhead(request: AdmissionRequest, spec: NonNullable<Pod['spec']>, { overhead }: RuntimeClass): void {
  if (!overhead?.podFixed) return
  if (spec.overhead && !equalJson(spec.overhead, overhead.podFixed)) {
    throw refused(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
  }
  spec.overhead = { ...overhead.podFixed }
}

function setScheduling(request: AdmissionRequest, spec: NonNullable<Pod['spec']>, { scheduling }: RuntimeClass): void {
  if (!scheduling) return
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key]
    if (own !== undefined && own !== value) {
      throw refused(
        request,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      )
    }
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value }
  }
  for (const toleration of scheduling.tolerations ?? []) {
    if (spec.tolerations?.some((own) => equalJson(own, toleration))) continue
    spec.tolerations = [...(spec.tolerations ?? []), { ...toleration }]
  }
}
