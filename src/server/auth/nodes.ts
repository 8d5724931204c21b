/**
 * What a node may do (Kubernetes' node authorizer): the usual work of a kubelet, and of secrets, config maps, claims and
 * volumes only what pods on that node use. Writes are narrowed further by the NodeRestriction admission plugin.
 */
import type { KubeObject } from '../../api/object.ts'
import type { PolicyRule } from '../../api/types.ts'
import type { ObjectReader } from '../admission/contract.ts'
import { nodeNameOf } from '../admission/node-user.ts'
import type { SpecialAuthorizer } from './authorize.ts'
import type { Attributes, Decision } from './contract.ts'
import { allowsPath, allowsResource } from './policy-rules.ts'

const ALLOWED: Decision = { allowed: true, reason: '' }
const READ = ['get', 'list', 'watch']

/** `rules` answers what any node may do: those of the role system:node, which is bound to nobody. */
export function createNodeAuthorizer(reader: ObjectReader, rules: () => readonly PolicyRule[]): SpecialAuthorizer {
  return (attributes) => {
    const node = nodeNameOf(attributes.user)
    if (node === undefined) return undefined
    const uses = attributes.path === undefined ? relationOf(attributes) : undefined
    if (uses) return checkRelation(reader, attributes, node, uses)
    return allowedBy(rules(), attributes) ? ALLOWED : undefined
  }
}

function allowedBy(rules: readonly PolicyRule[], attributes: Attributes): boolean {
  const { verb, group = '', resource = '', subresource = '', name, path } = attributes
  if (path !== undefined) return rules.some((rule) => allowsPath(rule, verb, path))
  return rules.some((rule) => allowsResource(rule, { verb, group, resource, subresource, name }))
}

/** Whether a pod uses the object of this name. */
type Uses = (pod: KubeObject, name: string, reader: ObjectReader) => boolean

/** Resources that a node reaches only through its pods. */
function relationOf({ verb, group = '', resource = '', subresource = '' }: Attributes): Uses | undefined {
  if (group !== '') return undefined
  switch (`${resource}/${subresource}`) {
    case 'secrets/':
      return READ.includes(verb) ? usesSecret : undefined
    case 'configmaps/':
      return READ.includes(verb) ? usesConfigMap : undefined
    case 'persistentvolumeclaims/':
      return verb === 'get' ? usesClaim : undefined
    case 'persistentvolumes/':
      return verb === 'get' ? usesVolume : undefined
    case 'serviceaccounts/token':
      return verb === 'create' ? usesAccount : undefined
    default:
      return undefined
  }
}

function checkRelation(reader: ObjectReader, attributes: Attributes, node: string, uses: Uses): Decision {
  const { namespace, name = '', verb, resource = '' } = attributes
  if (!name) {
    const what = verb === 'list' || verb === 'watch' ? `can only read ${resource} objects by name` : 'no object name found'
    return { allowed: false, reason: what }
  }
  const pods = reader.list('', 'pods', namespace || undefined)
  if (pods.some((pod) => pod.spec?.nodeName === node && uses(pod, name, reader))) return ALLOWED
  return { allowed: false, reason: `no relationship found between node '${node}' and this object` }
}

interface VolumeLike {
  secret?: { secretName?: string }
  configMap?: { name?: string }
  persistentVolumeClaim?: { claimName?: string }
  projected?: { sources?: { secret?: { name?: string }; configMap?: { name?: string } }[] }
  ephemeral?: object
  name: string
}

function volumesOf(pod: KubeObject): VolumeLike[] {
  return pod.spec?.volumes ?? []
}

/** Names that `env` and `envFrom` of any container refer to, and of volumes whatever `ofVolume` finds. */
function usesByEnvironment(pod: KubeObject, name: string, from: 'secret' | 'configMap'): boolean {
  const spec = pod.spec ?? {}
  const containers: KubeObject[] = [spec.initContainers, spec.containers, spec.ephemeralContainers].flatMap((list) => list ?? [])
  return containers.some(
    (container) =>
      (container.envFrom ?? []).some((source: KubeObject) => source[`${from}Ref`]?.name === name) ||
      (container.env ?? []).some((variable: KubeObject) => variable.valueFrom?.[`${from}KeyRef`]?.name === name),
  )
}

const usesSecret: Uses = (pod, name) =>
  (pod.spec?.imagePullSecrets ?? []).some((secret: { name?: string }) => secret.name === name) ||
  volumesOf(pod).some((volume) => volume.secret?.secretName === name) ||
  volumesOf(pod).some((volume) => volume.projected?.sources?.some((source) => source.secret?.name === name)) ||
  usesByEnvironment(pod, name, 'secret')

const usesConfigMap: Uses = (pod, name) =>
  volumesOf(pod).some((volume) => volume.configMap?.name === name) ||
  volumesOf(pod).some((volume) => volume.projected?.sources?.some((source) => source.configMap?.name === name)) ||
  usesByEnvironment(pod, name, 'configMap')

const usesClaim: Uses = (pod, name) =>
  volumesOf(pod).some(
    (volume) =>
      volume.persistentVolumeClaim?.claimName === name || (volume.ephemeral && `${pod.metadata.name}-${volume.name}` === name),
  )

const usesVolume: Uses = (pod, name, reader) =>
  volumesOf(pod).some((volume) => {
    const claim = volume.persistentVolumeClaim?.claimName
    const namespace = pod.metadata.namespace ?? ''
    return claim !== undefined && reader.get('', 'persistentvolumeclaims', namespace, claim)?.spec?.volumeName === name
  })

const usesAccount: Uses = (pod, name) => (pod.spec?.serviceAccountName ?? 'default') === name
