/** `skiff apply`: server-side apply of each object, and whether that changed anything. */
import type { KubeObject } from '../api/object.ts'
import { isConflict, isNotFound, StatusError } from '../api/status.ts'
import { objectPath } from '../client/paths.ts'
import type { TransportResponse } from '../client/transport.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { type Manifest, namespaceOf, readManifests, resourceOf } from './manifests.ts'
import { type GlobalOptions, type Session, withSession } from './session.ts'
import { displayName } from './targets.ts'

export interface ApplyOptions extends GlobalOptions {
  files: readonly string[]
  recursive?: boolean
  forceConflicts?: boolean
  dryRun?: boolean
}

const FIELD_MANAGER = 'skiff'

/** Every object is tried; the exit code tells whether all went well. */
export async function runApply(options: ApplyOptions, io: Io): Promise<number> {
  const manifests = await readManifests(options.files, options.recursive === true, io.stdin)
  return withSession(options, io, async (session) => {
    let failed = 0
    for (const manifest of manifests) {
      try {
        writeLine(io.stdout, await applyOne(manifest, options, session))
      } catch (error) {
        if (!(error instanceof StatusError) && !(error instanceof CommandError)) throw error
        failed++
        const hint = isConflict(error) ? ' (--force-conflicts takes the fields over)' : ''
        writeLine(io.stderr, `error: ${error.message.replaceAll(/\s*\n\s*/g, '; ')}${hint}`)
      }
    }
    return failed > 0 ? 1 : 0
  })
}

async function applyOne(manifest: Manifest, options: ApplyOptions, session: Session): Promise<string> {
  const resource = await resourceOf(manifest, session.discovery)
  const { name } = manifest.object.metadata
  if (!name) throw new CommandError(`${manifest.source}: ${manifest.object.kind} has no metadata.name`)
  const namespace = namespaceOf(manifest, session, options.namespace)
  const path = objectPath(resource, name, namespace)
  const before = await current(path, session)
  const body = resource.namespaced ? inNamespace(manifest.object, namespace) : manifest.object
  const response = await send(path, body, options, session)
  const { resourceVersion } = response.object.metadata
  const changed = before?.metadata.resourceVersion !== resourceVersion
  const outcome = response.status === 201 ? 'created' : changed ? 'configured' : 'unchanged'
  return `${displayName(resource, name)} ${outcome}${options.dryRun ? ' (server dry run)' : ''}`
}

/** Fields that skiff itself set before, by `create` or `scale`, are its own to take over; others' only when forced. */
async function send(path: string, object: KubeObject, options: ApplyOptions, session: Session): Promise<TransportResponse> {
  const request = (force: boolean) =>
    session.client.transport.request({
      method: 'PATCH',
      path,
      query: {
        ...{ fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' },
        ...(force && { force: 'true' }),
        ...(options.dryRun && { dryRun: 'All' }),
      },
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: structuredClone(object),
    })
  try {
    return await request(options.forceConflicts === true)
  } catch (error) {
    if (!isConflict(error) || !onlyWithOurselves(error as StatusError)) throw error
    return request(true)
  }
}

function onlyWithOurselves({ status }: StatusError): boolean {
  const causes = (status.details?.causes ?? []).filter(({ reason }) => reason === 'FieldManagerConflict')
  return causes.length > 0 && causes.every(({ message = '' }) => message.startsWith(`conflict with "${FIELD_MANAGER}"`))
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace } }
}

async function current(path: string, session: Session): Promise<KubeObject | undefined> {
  try {
    return (await session.client.transport.request({ method: 'GET', path })).object
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
