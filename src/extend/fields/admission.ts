/** The admission of field paths: pods are compiled and filled in, templates compiled and checked, so that errors show early. */
import type { AdmissionPlugin, AdmissionRequest } from '../../api/admission.ts'
import { sourceTexts } from '../../api/downward/annotations.ts'
import { equal } from '../../api/equal.ts'
import { invalid, isNotFound } from '../../api/status.ts'
import type { Pod } from '../../api/types.ts'
import { ownerResources, relatedThrough } from '../../client/related.ts'
import { pods } from '../../client/resources.ts'
import type { ExtensionContext } from '../extension.ts'
import { admitBinding, admitCreate, admitUpdate, keepAnnotations } from './admit-pod.ts'
import { compileFields, hasFields, removeValues } from './compile.ts'
import { checkOnChange } from './on-change.ts'
import { checkRights, type Rights } from './rights.ts'
import { isPods, type TemplatePlace, templatePlace, writesPods } from './templates.ts'

/** Subresources of pods through which annotations could be written. */
const KEEPING = new Set(['status', 'ephemeralcontainers', 'resize'])

export function fieldsAdmission(context: ExtensionContext): AdmissionPlugin {
  const { client } = context
  const owners = ownerResources(client)
  const rights: Rights = { client, owners, related: relatedThrough(client, owners) }
  return {
    name: 'FieldPaths',
    handles(request) {
      const { operation, definition, subresource } = request
      if (writesPods(request)) return true
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || !isPods(definition.group, definition.plural)) return false
      return subresource === 'binding' || KEEPING.has(subresource)
    },
    mutate(request) {
      const { operation, definition, subresource } = request
      if (isBinding(definition, subresource)) return admitBinding(request, rights, (...pod) => boundPod(context, ...pod))
      if (subresource !== '') return keepAnnotations(request)
      const place = templatePlace(definition.group, definition.plural)
      if (place) return admitTemplate(request, place, rights)
      return operation === 'CREATE' ? admitCreate(request, rights) : admitUpdate(request, rights)
    },
  }
}

/** A pod is bound by its own `binding`, or by a Binding that names it. */
function isBinding({ group, plural }: AdmissionRequest['definition'], subresource: string): boolean {
  return group === '' && (plural === 'pods' ? subresource === 'binding' : plural === 'bindings')
}

async function admitTemplate(request: AdmissionRequest, place: TemplatePlace, rights: Rights): Promise<void> {
  const { object, old, definition } = request
  const template = object && place.of(object)
  if (!object || !template || !hasFields(template)) return
  const before = old && place.of(old)
  if (before && equal(template, before)) return
  const annotationsBefore = before?.metadata?.annotations
  const { sources, places, errors } = compileFields(template, { at: place.at, owner: place.owner, annotationsBefore })
  removeValues(template.metadata?.annotations)
  errors.push(...checkOnChange(template.spec, template.metadata?.annotations, place.at))
  if (errors.length > 0) throw invalid(definition, object.metadata.name ?? request.name, errors)
  const known = new Set(sourceTexts(annotationsBefore).values())
  const added = [...sources]
    .filter(([, source]) => !known.has(source.text))
    .map(([key, source]) => ({ source, at: places.get(key) ?? place.at }))
  await checkRights(request, added, place.owner, rights)
}

/** The pod of a binding: as the informer has it, where that is the same pod; what matters here never changes. */
async function boundPod(
  { client, informers }: ExtensionContext,
  namespace: string,
  name: string,
  uid: string | undefined,
): Promise<Pod | undefined> {
  const known = informers.get(pods).store.get(`${namespace}/${name}`)
  if (known && uid !== undefined && known.metadata.uid === uid) return known
  try {
    return await client.get(pods, name, { namespace })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
