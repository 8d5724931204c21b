/** PartialObjectMetadata: objects without anything but their metadata. */
import type { KubeObject } from '../../api/object.ts'
import { notAcceptable } from '../../api/status.ts'
import type { Entry } from '../../store/store.ts'
import { decoded } from '../objects/codec.ts'
import type { ListMetadata, View } from './view.ts'

const META = 'meta.k8s.io'

/** The view of a request that asked for the list form or the single one, of a list or one object. Throws a 406 where these differ. */
export function metadataView(askedForList: boolean, isList: boolean, version: string): View {
  return {
    key: `metadata ${version}`,
    contentType: 'application/json',
    one: (_resource, entry) => shown(partial(decoded(entry), version)),
    list: (resource, entries, metadata) => {
      if (!askedForList && isList) {
        const { definition } = resource
        const type = `*${definition.group.split('.')[0] || 'core'}.${definition.kind}List`
        throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${type})`)
      }
      return shown(partialList(entries, metadata, version))
    },
    event: (_resource, entry) => {
      const object = partial(decoded(entry), version)
      return { object: () => object, bytes: () => Buffer.from(JSON.stringify(object)) }
    },
    bookmark: (object) => partial(object, version),
  }
}

export function partial(object: KubeObject, version = 'v1'): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `${META}/${version}`, metadata: object.metadata }
}

function partialList(entries: readonly Entry[], metadata: ListMetadata, version: string): object {
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `${META}/${version}`,
    metadata,
    items: entries.map((entry) => partial(decoded(entry), version)),
  }
}

function shown(object: object) {
  return { object: () => object, chunks: () => [Buffer.from(`${JSON.stringify(object)}\n`)] }
}
