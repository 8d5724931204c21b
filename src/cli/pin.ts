/** `--pin`: images get their digests before anything is sent, so that what was meant is what runs. */
import type { KubeObject } from '../api/object.ts'
import type { Node, PodSpec } from '../api/types.ts'
import { systemClock } from '../base/clock.ts'
import { nodes as nodeResource } from '../client/resources.ts'
import { dockerCredentials } from '../registry/docker-config.ts'
import { RegistryError } from '../registry/errors.ts'
import { type DigestSources, pinImage } from '../registry/find-digest.ts'
import { resolveDigest } from '../registry/manifests.ts'
import { podImages, podSpecOf } from '../registry/pod-images.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { PIN_MODES, type PinMode } from './pin-modes.ts'
import type { Place } from './session.ts'

export interface Pinner {
  /** The image with its digest, or as it is. Throws CommandError when a digest is required and there is none. */
  image(image: string, pullPolicy?: string): Promise<string>
  /** Every image of a pod's spec, in place. */
  spec(spec: PodSpec): Promise<void>
  /** Every image of an object that is a pod or makes pods, in place. */
  object(object: KubeObject): Promise<void>
}

/** Waiting is for who asked for it: `auto` gives up sooner. */
const PATIENCE_MS: Record<Exclude<PinMode, 'off'>, number> = { auto: 4_000, require: 15_000 }

/** Without a flag, $SKIFF_PIN decides, and without that it is `auto`. */
export function createPinner(flag: PinMode | undefined, io: Io, place: Place): Pinner {
  const mode = flag ?? modeOf(io.env.SKIFF_PIN) ?? 'auto'
  let known: Promise<readonly Node[]> | undefined
  const nodes = () => {
    known ??= listNodes(place, io)
    return known
  }
  const pinner: Pinner = {
    async image(image, pullPolicy) {
      if (mode === 'off' || image.includes('@')) return image
      // Nothing is pulled by nodes that only play at it.
      if (mode === 'auto' && isSimulated(await nodes())) return image
      try {
        return (await pinImage(image, pullPolicy, sourcesOf(nodes, io, PATIENCE_MS[mode]))).image
      } catch (error) {
        io.signal.throwIfAborted()
        if (!(error instanceof RegistryError)) throw error
        // A registry that contradicts itself is nothing to build on, whatever was asked for.
        if (mode === 'require' || error.reason === 'Mismatch' || error.reason === 'InvalidReference')
          throw new CommandError(`${image} cannot be pinned to a digest: ${error.message}`, 1, { cause: error })
        writeLine(io.stderr, `Warning: ${image} is not pinned to a digest: ${error.message}`)
        return image
      }
    },
    async spec(spec) {
      await Promise.all(
        podImages(spec, 'spec').map(async (found) => found.set(await pinner.image(found.image, found.pullPolicy))),
      )
    },
    async object(object) {
      const found = podSpecOf(object)
      if (found) await pinner.spec(found.spec)
    },
  }
  return pinner
}

function sourcesOf(nodes: () => Promise<readonly Node[]>, io: Io, patienceMs: number): DigestSources {
  return {
    nodes,
    async registry(reference) {
      const { credentials, complaints } = await dockerCredentials(reference, io.env)
      for (const complaint of complaints) writeLine(io.stderr, `Warning: ${complaint}`)
      const ending = new AbortController()
      const late = new RegistryError('TimedOut', `${reference.registry} did not answer within ${patienceMs / 1000} s`)
      const disarm = systemClock.after(patienceMs, () => ending.abort(late), { unref: true })
      const signal = AbortSignal.any([io.signal, ending.signal])
      try {
        return await resolveDigest(reference, { credentials, patienceMs, signal })
      } finally {
        disarm()
      }
    },
  }
}

/** Who may not list nodes asks registries only. */
async function listNodes({ client }: Place, io: Io): Promise<readonly Node[]> {
  try {
    return (await client.list(nodeResource, { signal: io.signal })).items
  } catch {
    io.signal.throwIfAborted()
    return []
  }
}

function modeOf(text: string | undefined): PinMode | undefined {
  if (!text) return undefined
  const mode = PIN_MODES.find((known) => known === text)
  if (!mode) throw new CommandError(`SKIFF_PIN is ${JSON.stringify(text)}; it may be ${PIN_MODES.join(', ')}`)
  return mode
}

function isSimulated(nodes: readonly Node[]): boolean {
  return nodes.length > 0 && nodes.every(({ metadata }) => metadata.annotations?.['skiff.dev/isolation'] === 'simulated')
}
