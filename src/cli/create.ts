/** `skiff create`: objects from files, or one made from flags. Never changes what exists. */
import type { KubeObject } from '../api/object.ts'
import { StatusError } from '../api/status.ts'
import type { ResourceRef } from '../client/client.ts'
import type { DiscoveredResource } from '../client/discovery.ts'
import { type GeneratedFlags, generateObject } from './generate-object.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { type Manifest, namespaceOf, readManifests, resourceOf } from './manifests.ts'
import { type OutputFormat, parseOutput, printObjects } from './print-objects.ts'
import { type GlobalOptions, type Session, withSession } from './session.ts'
import { displayName } from './targets.ts'

export interface CreateOptions extends GlobalOptions {
  dryRun?: boolean
  output?: string
}

export async function createFromFiles(
  options: CreateOptions & { files: readonly string[]; recursive?: boolean },
  io: Io,
): Promise<number> {
  const format = parseOutput(options.output)
  const manifests = await readManifests(options.files, options.recursive === true, io.stdin)
  return withSession(options, io, async (session) => {
    let failed = 0
    for (const manifest of manifests) {
      try {
        await createOne(manifest, options, format, session, io)
      } catch (error) {
        if (!(error instanceof StatusError) && !(error instanceof CommandError)) throw error
        failed++
        writeLine(io.stderr, `error: ${manifest.source}: ${error.message.replaceAll(/\s*\n\s*/g, '; ')}`)
      }
    }
    return failed > 0 ? 1 : 0
  })
}

export type GeneratedKind = 'deployment' | 'service' | 'configmap' | 'secret' | 'namespace'

/** `words` are the arguments after the kind, `flags` those of the kind's own command. */
export async function createGenerated(
  options: CreateOptions & { kind: GeneratedKind; words: readonly string[]; flags: GeneratedFlags },
  io: Io,
): Promise<number> {
  const format = parseOutput(options.output)
  const object = generateObject(options.kind, options.words, options.flags)
  return withSession(options, io, async (session) => {
    await createOne({ source: options.kind, object }, options, format, session, io)
    return 0
  })
}

async function createOne(
  manifest: Manifest,
  options: CreateOptions,
  format: OutputFormat,
  session: Session,
  io: Io,
): Promise<void> {
  const resource: DiscoveredResource = await resourceOf(manifest, session.discovery)
  const namespace = resource.namespaced ? namespaceOf(manifest, session, options.namespace) : undefined
  const created = await session.client.create(resource as ResourceRef<KubeObject>, manifest.object, {
    ...{ namespace, fieldManager: 'skiff', fieldValidation: 'Strict' },
    ...(options.dryRun && { dryRun: true }),
  })
  if (format.form !== 'table')
    await printObjects([created], { format, single: true, showManagedFields: false }, [{ resource, names: [] }], io.stdout)
  else
    writeLine(
      io.stdout,
      `${displayName(resource, created.metadata.name ?? '')} created${options.dryRun ? ' (server dry run)' : ''}`,
    )
}
