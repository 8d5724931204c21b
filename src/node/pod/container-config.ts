/** A container as the runtime is asked for it: environment, command, mounts, user, resources. */

import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { signalTokens, writeSignals } from '../../api/downward/container-requests.ts'
import { expand } from '../../api/downward/expand.ts'
import type { Container, Pod } from '../../api/types.ts'
import { type EnvironmentContext, environmentOf } from '../env/environment.ts'
import { DEFINITION_LABEL, definitionOf, SIGNALS_LABEL } from '../plan/containers.ts'
import type { Role } from '../plan/types.ts'
import type { ContainerConfig, ImageState, Mount } from '../runtime/runtime.ts'
import { containerMounts } from '../volume/container-mounts.ts'
import type { MountedVolume } from '../volume/pod-volumes.ts'
import type { NodeContext } from './context.ts'
import { resourcesOf } from './resources.ts'
import { securityOf } from './security.ts'

export interface ContainerRequest {
  pod: Pod
  container: Container
  role: Role
  attempt: number
  image: ImageState
  volumes: ReadonlyMap<string, MountedVolume>
  environment: EnvironmentContext
  /** What the node adds; the container's own variables of the same name win. */
  further: { variables: readonly { name: string; value: string }[]; mounts: readonly Mount[] }
}

export interface MadeConfig {
  config: ContainerConfig
  /** Sentences for events, e.g. about keys that are no names for variables. */
  notices: string[]
}

/** Throws ContainerConfigError (or VolumeError) with what is wrong. */
export async function containerConfig(request: ContainerRequest, context: NodeContext): Promise<MadeConfig> {
  const { pod, container, role, attempt, image } = request
  const { variables, skipped } = environmentOf(pod, container, request.environment)
  const own = withApiServer(variables, context)
  const env = [...request.further.variables.filter(({ name }) => !own.some((variable) => variable.name === name)), ...own]
  const known = new Map(env.map(({ name, value }) => [name, value]))
  const lookup = (name: string) => known.get(name)
  const mounts = await mountsOf(request, context, new Map((container.env ?? []).map((v) => [v.name, known.get(v.name) ?? ''])))
  const config: ContainerConfig = {
    name: container.name,
    attempt,
    imageId: image.id,
    image: container.image ?? '',
    ...(container.command?.length && { command: container.command.map((word) => expand(word, lookup)) }),
    ...(container.args?.length && { args: container.args.map((word) => expand(word, lookup)) }),
    ...(container.workingDir && { workingDir: container.workingDir }),
    env,
    mounts,
    labels: labelsOf(pod, container, role),
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    ...securityOf(pod, container, image.config.user ?? ''),
    ...resourcesOf(pod, container, context.runtime.info.capacity.memoryBytes),
  }
  const notices = skipped.map(
    ({ source, keys }) =>
      `Keys [${keys.join(', ')}] from the EnvFrom ${source} were skipped since they are considered invalid environment variable names.`,
  )
  return { config, notices }
}

function labelsOf(pod: Pod, container: Container, role: Role): Record<string, string> {
  return {
    'io.kubernetes.pod.name': pod.metadata.name ?? '',
    'io.kubernetes.pod.namespace': pod.metadata.namespace ?? '',
    'io.kubernetes.pod.uid': pod.metadata.uid ?? '',
    'io.kubernetes.container.name': container.name,
    'skiff.dev/container-role': role,
    [DEFINITION_LABEL]: definitionOf(container, pod),
    [SIGNALS_LABEL]: writeSignals(signalTokens(pod.metadata.annotations, container.name)),
  }
}

/** Where pods cannot reach Service addresses, they are told the API server's own; else only if its Service is unknown. */
function withApiServer(variables: { name: string; value: string }[], context: NodeContext): { name: string; value: string }[] {
  const { apiServer } = context
  const known = variables.some(({ name }) => name === 'KUBERNETES_SERVICE_HOST')
  if (!apiServer || (known && context.runtime.network.reach !== 'none')) return variables
  const host = ['KUBERNETES_SERVICE_HOST', apiServer.host] as const
  const ports = ['KUBERNETES_SERVICE_PORT', 'KUBERNETES_SERVICE_PORT_HTTPS'].map(
    (name) => [name, String(apiServer.port)] as const,
  )
  const replaced = new Map<string, string>([host, ...ports])
  const kept = variables.filter(({ name }) => !replaced.has(name))
  return [...kept, ...[...replaced].map(([name, value]) => ({ name, value }))]
}

async function mountsOf(request: ContainerRequest, context: NodeContext, own: ReadonlyMap<string, string>): Promise<Mount[]> {
  const { pod, container, attempt, volumes } = request
  if (!context.writesFiles) return []
  const mounts = await containerMounts(container, volumes, own)
  const containerPath = container.terminationMessagePath ?? '/dev/termination-log'
  const hostPath = terminationFile(context.podsDirectory, pod.metadata.uid ?? '', container.name, attempt)
  await mkdir(dirname(hostPath), { recursive: true, mode: 0o700 })
  // Whoever the container runs as may write it.
  await writeFile(hostPath, '')
  await chmod(hostPath, 0o666)
  mounts.push({ hostPath, containerPath, readOnly: false }, ...request.further.mounts)
  return mounts
}

export function terminationFile(podsDirectory: string, uid: string, container: string, attempt: number): string {
  return join(podsDirectory, uid, 'containers', container, `${attempt}.message`)
}
