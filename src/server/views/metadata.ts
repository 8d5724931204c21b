/** PartialObjectMetadata: objects without anything but their metadata. */
import type { KubeObject } from '../../api/object.ts'
import { notAcceptable } from '../../api/status.ts'
import type { Entry } from '../../store/store.ts'
import { decoded } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import type { ListMetadata, View } from './view.ts'

const META = 'meta.k8s.io'

/** The view of a request that asked for the list form or the single one, of a list or one object. Throws a 406 where these differ. */
export function metadataView(askedForList: boolean, isList: boolean, version: string): View {
  return {
    key: `metadata ${version}`,
    contentType: 'application/json',
    one: (resource, entry) => shown(partialOf(resource, entry, version)),
    list: (resource, entries, metadata) => {
      if (!askedForList && isList) {
        const { definition } = resource
        const type = `*${definition.group.split('.')[0] || 'core'}.${definition.kind}List`
        throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${type})`)
      }
      return shown(partialList(resource, entries, metadata, version))
    },
    event: (resource, entry) => {
      const object = partialOf(resource, entry, version)
      return { object: () => object, bytes: () => Buffer.from(JSON.stringify(object)) }
    },
    bookmark: (object) => partial(object, version),
  }
}

function partialOf(resource: Resource, entry: Entry, version: string): KubeObject {
  return partial(decoded(entry), version, resource.definition.strategy.spelledAnnotations)
}

/** `spelled` are annotations that stand for fields of the kind: Kubernetes takes them for those. */
export function partial(object: KubeObject, version = 'v1', spelled?: readonly string[]): KubeObject {
  const metadata = spelled ? withoutAnnotations(object.metadata, spelled) : object.metadata
  return { kind: 'PartialObjectMetadata', apiVersion: `${META}/${version}`, metadata }
}

function withoutAnnotations(metadata: KubeObject['metadata'], names: readonly string[]): KubeObject['metadata'] {
  const { annotations, ...rest } = metadata
  const kept = Object.entries(annotations ?? {}).filter(([name]) => !names.includes(name))
  return kept.length > 0 ? { ...rest, annotations: Object.fromEntries(kept) } : rest
}

function partialList(resource: Resource, entries: readonly Entry[], metadata: ListMetadata, version: string): object {
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `${META}/${version}`,
    metadata,
    items: entries.map((entry) => partialOf(resource, entry, version)),
  }
}

function shown(object: object) {
  return { object: () => object, chunks: () => [Buffer.from(`${JSON.stringify(object)}\n`)] }
}
