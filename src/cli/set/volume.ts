/** `skiff set volume`: mounts in docker's words, `[SOURCE:]PATH[:ro]`, and `PATH-` to take one away. */
import type { Container, PodSpec, PodTemplateSpec, Volume } from '../../api/types.ts'
import { CommandError } from '../io.ts'
import { Volumes } from '../run/volumes.ts'
import { chosenContainers } from './containers.ts'
import type { TemplateChange } from './set.ts'

export interface VolumeChange {
  /** `[SOURCE:]PATH[:ro]` and `PATH-`. */
  words: readonly string[]
  /** `type=configmap,source=settings,target=/etc/app`, each. */
  mounts: readonly string[]
  container?: string | undefined
}

/** Kinds and names have neither a colon nor a slash in front. */
export function isVolumeWord(word: string): boolean {
  return word.startsWith('/') || word.includes(':')
}

/** Throws CommandError for what is not understood. */
export function volumeChange({ words, mounts: texts, container }: VolumeChange): TemplateChange {
  const removed = words.filter((word) => word.endsWith('-')).map((word) => word.slice(0, -1))
  const volumes = new Volumes()
  const mounts = [
    ...words.filter((word) => !word.endsWith('-')).map((word) => volumes.volume(word)),
    ...texts.map((text) => volumes.mount(text)),
  ]
  if (removed.length === 0 && mounts.length === 0) throw new CommandError('which volumes? Give [SOURCE:]PATH, PATH- or --mount')
  return {
    what: 'volume',
    apply(template, handle) {
      const spec = template.spec!
      const names = new Map(volumes.all.map((volume) => [volume.name, addVolume(spec, volume)]))
      const replaced = new Set([...removed, ...mounts.map(({ mountPath }) => mountPath)])
      const containers = chosenContainers(template, container, handle)
      refuseMissing(containers, removed, handle)
      const loose = new Set<string>()
      for (const one of containers) {
        const present = one.volumeMounts ?? []
        for (const { name, mountPath } of present) if (replaced.has(mountPath)) loose.add(name)
        const wanted = new Map(mounts.map((mount) => [mount.mountPath, { ...mount, name: names.get(mount.name)! }]))
        const kept = present.flatMap((mount) => {
          if (!replaced.has(mount.mountPath)) return [mount]
          const instead = wanted.get(mount.mountPath)
          wanted.delete(mount.mountPath)
          return instead ? [instead] : []
        })
        one.volumeMounts = [...kept, ...wanted.values()]
      }
      dropUnused(template, loose)
    },
  }
}

function refuseMissing(containers: readonly Container[], removed: readonly string[], handle: string): void {
  const missing = removed.find((path) => !containers.some((one) => one.volumeMounts?.some(({ mountPath }) => mountPath === path)))
  if (missing !== undefined) throw new CommandError(`${handle}: nothing is mounted at ${missing}`)
}

/** The name it has in the template: that of one with the same source, its own, or its own with a number. */
function addVolume(spec: PodSpec, volume: Volume): string {
  const { name: wanted, ...source } = volume
  const present = spec.volumes ?? []
  // Empty directories are of their own each, unless they are called the same.
  const same = present.find(({ name, ...other }) => holds(other, source) && (name === wanted || !volume.emptyDir))
  if (same) return same.name
  let name = wanted
  for (let n = 2; present.some((other) => other.name === name); n++) name = `${wanted}-${n}`
  spec.volumes = [...present, { name, ...source }]
  return name
}

/** Whether all that is said of one source is true of the other, which carries the server's defaults too. */
function holds(actual: unknown, said: unknown): boolean {
  if (typeof said !== 'object' || said === null) return actual === said
  if (typeof actual !== 'object' || actual === null) return false
  return Object.entries(said).every(([key, value]) => holds((actual as Record<string, unknown>)[key], value))
}

/** What nothing mounts any more goes with its last mount. */
function dropUnused({ spec }: PodTemplateSpec, loose: ReadonlySet<string>): void {
  const used = new Set(
    [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap((one) =>
      (one.volumeMounts ?? []).map(({ name }) => name),
    ),
  )
  if (spec?.volumes) spec.volumes = spec.volumes.filter(({ name }) => !loose.has(name) || used.has(name))
}
