/** What a changing command says of each object: a sentence, or with --output the object itself. */
import type { KubeObject } from '../api/object.ts'
import type { DiscoveredResource } from '../client/discovery.ts'
import { type Io, writeLine } from './io.ts'
import { type OutputFormat, printObjects } from './print-objects.ts'

export async function tellOutcome(
  sentence: string,
  object: KubeObject | undefined,
  resource: DiscoveredResource,
  format: OutputFormat,
  io: Io,
): Promise<void> {
  if (format.form === 'table' || !object) writeLine(io.stdout, sentence)
  else {
    const { group, version, kind } = resource
    const shown = { apiVersion: group ? `${group}/${version}` : version, kind, ...object }
    await printObjects([shown], { format, single: true, showManagedFields: false }, [{ resource, names: [] }], io.stdout)
  }
}
