/** PartialObjectMetadata: objects without anything but their metadata. */
import type { KubeObject } from '../../api/object.ts'
import { notAcceptable } from '../../api/status.ts'
import type { Entry } from '../../store/store.ts'
import { decoded } from '../objects/codec.ts'
import type { ListMetadata, View } from './view.ts'

const META = 'meta.k8s.io/v1'

/** The view of a request that asked for the list form or the single one, of a list or one object. Throws a 406 where these differ. */
export function metadataView(askedForList: boolean, isList: boolean): View {
  return {
    key: 'metadata',
    contentType: 'application/json',
    one: (_resource, entry) => shown(partial(decoded(entry))),
    list: (resource, entries, metadata) => {
      if (!askedForList && isList) {
        const { definition } = resource
        const type = `*${definition.group.split('.')[0] || 'core'}.${definition.kind}List`
        throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${type})`)
      }
      return shown(partialList(entries, metadata))
    },
    event: (_resource, entry) => {
      const object = partial(decoded(entry))
      return { object: () => object, bytes: () => Buffer.from(JSON.stringify(object)) }
    },
    bookmark: (object) => partial(object),
  }
}

export function partial(object: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: META, metadata: object.metadata }
}

function partialList(entries: readonly Entry[], metadata: ListMetadata): object {
  return { kind: 'PartialObjectMetadataList', apiVersion: META, metadata, items: entries.map((entry) => partial(decoded(entry))) }
}

function shown(object: object) {
  return { object: () => object, chunks: () => [Buffer.from(`${JSON.stringify(object)}\n`)] }
}
