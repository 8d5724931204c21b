/** A container's securityContext, with the pod's behind it, in the runtime's words. Pure. */
import type { Container, Pod, PodSecurityContext, SecurityContext } from '../../api/types.ts'
import { ContainerConfigError } from '../env/environment.ts'
import type { ContainerConfig } from '../runtime/runtime.ts'

type Security = Pick<
  ContainerConfig,
  'user' | 'supplementalGroups' | 'runAsNonRoot' | 'privileged' | 'readOnlyRootFilesystem' | 'capabilities' | 'noNewPrivileges'
>

/** `imageUser` is what the image's config says: empty, a number, a name, or `user:group`. Throws ContainerConfigError. */
export function securityOf(pod: Pod, container: Container, imageUser: string): Security {
  const shared = pod.spec?.securityContext ?? {}
  const own = container.securityContext ?? {}
  refuse(container, shared, own)
  const uid = own.runAsUser ?? shared.runAsUser
  const gid = own.runAsGroup ?? shared.runAsGroup
  const nonRoot = own.runAsNonRoot ?? shared.runAsNonRoot ?? false
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])]
  if (gid !== undefined && uid === undefined) {
    throw new ContainerConfigError(`runAsGroup is specified without a runAsUser (container: ${container.name})`)
  }
  if (nonRoot) verifyNonRoot(pod, container, uid, imageUser)
  return {
    ...(uid !== undefined && {
      user: { uid, ...(gid !== undefined && { gid }), ...(groups.length > 0 && { supplementalGroups: groups }) },
    }),
    ...(uid === undefined && groups.length > 0 && { supplementalGroups: groups }),
    ...(nonRoot && { runAsNonRoot: true }),
    ...(own.privileged && { privileged: true }),
    ...(own.readOnlyRootFilesystem && { readOnlyRootFilesystem: true }),
    ...(own.capabilities && { capabilities: { add: own.capabilities.add ?? [], drop: own.capabilities.drop ?? [] } }),
    ...(own.allowPrivilegeEscalation === false && { noNewPrivileges: true }),
  }
}

function verifyNonRoot(pod: Pod, container: Container, uid: number | undefined, imageUser: string): void {
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`
  if (uid === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`)
  if (uid !== undefined) return
  const user = imageUser.split(':')[0] ?? ''
  if (user === '' || user === '0') {
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`)
  }
  if (!/^\d+$/.test(user)) {
    const why = `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root`
    throw new ContainerConfigError(`${why} ${where}`)
  }
}

/** Confinement that this node cannot give is not silently left out. */
function refuse(container: Container, shared: PodSecurityContext, own: SecurityContext): void {
  const seccomp = own.seccompProfile ?? shared.seccompProfile
  const appArmor = own.appArmorProfile ?? shared.appArmorProfile
  const field =
    (seccomp?.type === 'Localhost' && 'seccompProfile.type Localhost') ||
    (appArmor?.type === 'Localhost' && 'appArmorProfile.type Localhost') ||
    (own.procMount === 'Unmasked' && 'procMount Unmasked') ||
    ((own.windowsOptions ?? shared.windowsOptions) && 'windowsOptions')
  if (field)
    throw new ContainerConfigError(`securityContext.${field} of container ${container.name} is not supported by this node`)
}
