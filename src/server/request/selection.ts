/** The label and field selectors of a request, matched against parsed objects. */
import type { KubeObject } from '../../api/object.ts'
import {
  everything,
  type FieldRequirement,
  type LabelSelector,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
  unknownFieldMessage,
} from '../../api/selectors.ts'
import { badRequest } from '../../api/status.ts'
import type { Entry } from '../../store/store.ts'
import { decoded, objectOf } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import type { Query } from './query.ts'

export class Selection {
  readonly #labels: LabelSelector
  readonly #fields: readonly FieldRequirement[]
  /** Whether it selects nothing out: no object needs to be looked at. */
  readonly everything: boolean

  constructor(labels: LabelSelector, fields: readonly FieldRequirement[]) {
    this.#labels = labels
    this.#fields = fields
    this.everything = labels.isEverything && fields.length === 0
  }

  static readonly all = new Selection(everything, [])

  matches(entry: Entry, resource: Resource): boolean {
    if (this.everything) return true
    if (!this.#labels.matches(decoded(entry).metadata.labels)) return false
    if (this.#fields.length === 0) return true
    const object = objectOf(entry, resource)
    for (const { field, operator, value } of this.#fields) {
      if ((fieldValue(object, field, resource) === value) !== (operator === '=')) return false
    }
    return true
  }

  /** The one name that can match, when a field selector pins it. */
  get name(): string | undefined {
    return this.#fields.find(({ field, operator }) => field === 'metadata.name' && operator === '=')?.value
  }

  /** The one namespace that can match. */
  get namespace(): string | undefined {
    return this.#fields.find(({ field, operator }) => field === 'metadata.namespace' && operator === '=')?.value
  }
}

/** Throws a 400 for what does not parse and for fields that cannot be selected by. */
export function parseSelection(query: Query, resource: Resource): Selection {
  const labels = query.get('labelSelector')
  const fields = query.get('fieldSelector')
  if (!labels && !fields) return Selection.all
  try {
    const selector = labels ? parseLabelSelector(labels) : everything
    const requirements = fields ? parseFieldSelector(fields) : []
    for (const { field } of requirements) {
      if (!isSelectable(resource, field)) throw new SelectorError(unknownFieldMessage(resource.definition, field))
    }
    return new Selection(selector, requirements)
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message)
    throw error
  }
}

function isSelectable(resource: Resource, field: string): boolean {
  if (field === 'metadata.name' || field === 'metadata.namespace') return true
  const { selectableFields } = resource.definition
  return selectableFields !== undefined && Object.hasOwn(selectableFields, field)
}

function fieldValue(object: KubeObject, field: string, resource: Resource): string {
  if (field === 'metadata.name') return object.metadata.name ?? ''
  if (field === 'metadata.namespace') return object.metadata.namespace ?? ''
  return resource.definition.selectableFields?.[field]?.(object) ?? ''
}
