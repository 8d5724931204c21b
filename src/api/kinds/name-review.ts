/**
 * skiff.dev/v1alpha1: what skiff's server answers beyond Kubernetes. A NameReview asks which objects of a namespace bear a name,
 * whatever their kind; it is posted, answered and never stored. Other servers lack it, and clients do without.
 */
import type { ResourceDefinition } from '../definition.ts'
import type { JsonSchema } from '../schema/schema.ts'
import { compileStructural } from '../schema/structural.ts'
import { defineGroup } from './define.ts'

const strings: JsonSchema = { type: 'array', items: { type: 'string' } }
const objects: JsonSchema = { type: 'array', items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }

const SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        name: { type: 'string', description: 'The name that is looked for.' },
        prefix: { type: 'string', description: 'In place of a name: what the names that are looked for begin with.' },
        allNamespaces: { type: 'boolean', description: 'Look in all namespaces, not only in the one of the request.' },
        resources: { ...strings, description: 'Only objects of these resources, such as pods or deployments.apps.' },
        limit: { type: 'integer', format: 'int32', description: 'As many objects as are answered for a prefix; 500 at most.' },
      },
    },
    status: {
      type: 'object',
      properties: {
        matches: {
          ...objects,
          description: 'The objects, as far as the user may read them: apiVersion, kind, resource, metadata.',
        },
        near: { ...objects, description: 'When there are none: objects with names close to the one asked for.' },
        unreadable: { ...strings, description: 'When there are none: resources that the user may not read.' },
      },
    },
  },
}

const [nameReview] = defineGroup({ group: 'skiff.dev', version: 'v1alpha1', package: '' }, [
  { kind: 'NameReview', plural: 'namereviews', verbs: ['create'], strategy: { nameRule: 'none' } },
])

export const skiffDefinitions: readonly ResourceDefinition[] = [{ ...nameReview!, schema: compileStructural(SCHEMA) }]
