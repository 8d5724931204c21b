/** Objects as rows of a Table (`meta.k8s.io/v1`), whose columns and cells come from the definition. */
import type { Column, ResourceDefinition } from '../../api/definition.ts'
import type { KubeObject } from '../../api/object.ts'
import { badRequest } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import type { Entry } from '../../store/store.ts'
import { objectOf } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import { partial } from './metadata.ts'
import type { ListMetadata, View } from './view.ts'

const INCLUDES = new Set(['Metadata', 'Object', 'None', ''])
const NAME_COLUMN = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  priority: 0,
}

/** Rows carry their object's metadata, the whole object or nothing, as `includeObject` says. Throws a 400 for another word. */
export function tableView(includeObject: string | undefined, clock: Clock, version: string): View {
  const apiVersion = `meta.k8s.io/${version}`
  const include = includeObject ?? ''
  if (!INCLUDES.has(include)) {
    const why = `Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`
    throw badRequest(`Unable to convert to Table as requested: includeObject: ${why}`)
  }
  const rowOf = (resource: Resource, entry: Entry) => {
    const object = objectOf(entry, resource)
    return { cells: cellsOf(resource.definition, object, clock.now()), ...carried(resource, object, include) }
  }
  return {
    key: `table ${include} ${version}`,
    contentType: 'application/json',
    one: (resource, entry) => {
      const { resourceVersion } = objectOf(entry, resource).metadata
      return shown(table(apiVersion, resource, [rowOf(resource, entry)], { ...(resourceVersion && { resourceVersion }) }))
    },
    list: (resource, entries, metadata) =>
      shown(
        table(
          apiVersion,
          resource,
          entries.map((entry) => rowOf(resource, entry)),
          metadata,
        ),
      ),
    event: (resource, entry, first) => {
      const { resourceVersion = '' } = objectOf(entry, resource).metadata
      const whole = table(apiVersion, resource, [rowOf(resource, entry)], { resourceVersion })
      const object = first ? whole : { ...whole, columnDefinitions: null }
      return { object: () => object, bytes: () => Buffer.from(JSON.stringify(object)) }
    },
    bookmark: (object, resource, first) => {
      const columnDefinitions = first ? columnsOf(resource.definition) : null
      const rows = [{ cells: cellsOf(resource.definition, object, clock.now()), ...carried(resource, object, include) }]
      const { resourceVersion } = object.metadata
      return { kind: 'Table', apiVersion, metadata: { resourceVersion }, columnDefinitions, rows }
    },
  }
}

function carried(resource: Resource, object: KubeObject, include: string): { object: KubeObject | null } {
  if (include === 'None') return { object: null }
  return { object: include === 'Object' ? object : partial(object, 'v1', resource.definition.strategy.spelledAnnotations) }
}

function table(apiVersion: string, resource: Resource, rows: object[], metadata: ListMetadata | { resourceVersion?: string }) {
  return { kind: 'Table', apiVersion, metadata, columnDefinitions: columnsOf(resource.definition), rows }
}

function columnsOf(definition: ResourceDefinition): object[] {
  const columns = definition.columns.map(({ name, type, format = '', description = name, priority }: Column) => {
    return { name, type, format, description, priority }
  })
  return definition.nameColumn === false ? columns : [NAME_COLUMN, ...columns]
}

/** A cell that cannot be read from a half-written object is empty: the object itself is still worth showing. */
function cellsOf(definition: ResourceDefinition, object: KubeObject, now: number): unknown[] {
  const cells = definition.columns.map((column): unknown => {
    try {
      return column.cell(object, { now })
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      return ''
    }
  })
  return definition.nameColumn === false ? cells : [object.metadata.name, ...cells]
}

function shown(object: object) {
  return { object: () => object, chunks: () => [Buffer.from(`${JSON.stringify(object)}\n`)] }
}
