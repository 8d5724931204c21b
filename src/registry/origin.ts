/** Where a registry of an image's name is to be found. Pure. */

const DEFAULT_REGISTRY = 'docker.io'
const DOCKER_HUB = 'registry-1.docker.io'

/** Plain http on loopback only. */
export function originOf(registry: string): string {
  const host = registry === DEFAULT_REGISTRY ? DOCKER_HUB : registry
  return `${isLoopback(host) ? 'http' : 'https'}://${host}`
}

/** Every name that stands for the same registry. */
export function namesOf(registry: string): readonly string[] {
  return registry === DEFAULT_REGISTRY ? [DEFAULT_REGISTRY, 'index.docker.io', DOCKER_HUB] : [registry]
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '')
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name)
}
