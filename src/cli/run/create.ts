/** Makes what a plan says, or shows it. All of it or nothing: what can be refused is refused before the first is made. */
import type { KubeObject } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import { services } from '../../client/resources.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { type OutputFormat, parseOutput, printObjects } from '../print-objects.ts'
import type { Place } from '../session.ts'
import type { RunPlan } from './plan.ts'

const FIELD_MANAGER = 'skiff'

/** Creates the plan's objects; the Service is owned by the other, so that deleting that one deletes all, on any cluster. */
export async function createPlanned(plan: RunPlan, { client }: Place): Promise<KubeObject> {
  const { resource, object, service } = plan
  const parameters = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' } as const
  if (!service) return client.create(resource, object, parameters)
  await client.create(services, service, { ...parameters, dryRun: true })
  const made = await client.create(resource, object, parameters)
  const { name = '', uid = '', namespace } = made.metadata
  const { apiVersion = '', kind = '' } = object
  try {
    const metadata = { ...service.metadata, ownerReferences: [{ apiVersion, kind, name, uid }] }
    await client.create(services, { ...service, metadata }, parameters)
  } catch (error) {
    await client.delete(resource, name, { namespace, propagationPolicy: 'Background', preconditions: { uid } })
    throw error
  }
  return made
}

export function readDryRun(text: string | undefined): 'client' | 'server' | undefined {
  if (text === undefined || text === 'client' || text === 'server') return text
  if (text === 'none') return undefined
  throw new CommandError(`--dry-run takes client or server, not ${JSON.stringify(text)}`)
}

/** Prints what would be made: as it would be sent, or as the server would keep it. */
export async function showPlanned(
  plan: RunPlan,
  where: 'client' | 'server',
  output: string | undefined,
  place: Place,
  io: Io,
): Promise<void> {
  const planned = [[plan.resource, plan.object] as const, ...(plan.service ? [[services, plan.service] as const] : [])]
  const objects: KubeObject[] = []
  for (const [resource, object] of planned)
    objects.push(
      where === 'client' ? (object as KubeObject) : await tryCreate(resource as ResourceRef, object as KubeObject, place),
    )
  await printMade(objects, parseOutput(output), where === 'client' ? ' (dry run)' : ' (server dry run)', io)
}

async function tryCreate(resource: ResourceRef, object: KubeObject, { client }: Place): Promise<KubeObject> {
  const parameters = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', dryRun: true } as const
  const made = await client.create(resource as ResourceRef<KubeObject>, object, parameters)
  const { apiVersion, kind } = object
  return { ...made, apiVersion, kind } as KubeObject
}

/** Several objects as YAML are documents, which `apply -f` takes. */
export async function printMade(objects: readonly KubeObject[], format: OutputFormat, how: string, io: Io): Promise<void> {
  if (format.form === 'table') {
    for (const { kind = '', metadata } of objects) writeLine(io.stdout, `${kind.toLowerCase()}/${metadata.name} created${how}`)
    return
  }
  const single = objects.length === 1
  if (single || format.form !== 'yaml') {
    await printObjects(objects, { format, single, showManagedFields: false }, [], io.stdout)
    return
  }
  for (const [index, object] of objects.entries()) {
    if (index > 0) writeLine(io.stdout, '---')
    await printObjects([object], { format, single: true, showManagedFields: false }, [], io.stdout)
  }
}
