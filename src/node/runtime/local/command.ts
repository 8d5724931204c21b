/** What a container runs and with which environment, from its own configuration and its image's. */
import { type ContainerConfig, type ImageState, RuntimeError } from '../runtime.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Kubernetes' rule: a container's command replaces the entrypoint and drops the image's arguments. */
export function commandOf(config: ContainerConfig, image: ImageState): string[] {
  const own = config.command ?? image.config.entrypoint
  const args = config.args ?? (config.command ? [] : image.config.cmd)
  const command = [...own, ...args]
  if (command.length === 0) throw new RuntimeError('CreateContainerError', `image ${config.image} names no command`)
  return command
}

/** The image's variables, and the container's over them. */
export function environment(config: ContainerConfig, image: ImageState, hostname: string): Record<string, string> {
  const env: Record<string, string> = { PATH: DEFAULT_PATH, HOSTNAME: hostname, HOME: '/root' }
  for (const line of image.config.env) {
    const at = line.indexOf('=')
    if (at > 0) env[line.slice(0, at)] = line.slice(at + 1)
  }
  for (const { name, value } of config.env) env[name] = value
  return env
}
