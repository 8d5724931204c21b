/** The Client over any Transport: turns verbs into requests. Knows paths and options, no kind. */
import type { KubeList, KubeObject, WatchEvent } from '../api/object.ts'
import type { Client, DeleteParameters, ListParameters, PatchType, ResourceRef, WriteParameters } from './client.ts'
import { collectionPath, objectPath } from './paths.ts'
import type { Transport, TransportRequest } from './transport.ts'

const PATCH_CONTENT_TYPE: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

type Named = { metadata?: { name?: string | undefined; namespace?: string | undefined } }

export function createClient(transport: Transport): Client {
  // Answers are what the server says they are: the caller's type argument is a promise about the resource, not a check.
  async function send<T>(request: TransportRequest): Promise<T> {
    return (await transport.request(request)).object as T
  }

  function write<T>(method: 'PUT' | 'POST', resource: ResourceRef<T>, object: T, parameters: WriteParameters = {}) {
    const { metadata } = object as Named
    const namespace = parameters.namespace ?? metadata?.namespace
    const path =
      method === 'POST'
        ? collectionPath(resource, requireNamespace(resource, namespace))
        : objectPath(resource, metadata?.name ?? '', namespace, parameters.subresource)
    return send<T>({ method, path, query: writeQuery(parameters), body: object as object, ...signalOf(parameters) })
  }

  return {
    transport,
    get: (resource, name, parameters = {}) =>
      send({
        method: 'GET',
        path: objectPath(resource, name, parameters.namespace, parameters.subresource),
        ...signalOf(parameters),
      }),
    list: <T>(resource: ResourceRef<T>, parameters: ListParameters = {}) =>
      send<KubeList<T>>({
        method: 'GET',
        path: collectionPath(resource, parameters.namespace),
        query: listQuery(parameters),
        ...signalOf(parameters),
      }),
    create: (resource, object, parameters) => write('POST', resource, object, parameters),
    createSubresource: (resource, name, subresource, body, parameters = {}) =>
      send({
        method: 'POST',
        path: objectPath(resource, name, parameters.namespace, subresource),
        query: writeQuery(parameters),
        body,
        ...signalOf(parameters),
      }),
    update: (resource, object, parameters) => write('PUT', resource, object, parameters),
    updateStatus: (resource, object, parameters) => write('PUT', resource, object, { ...parameters, subresource: 'status' }),
    patch: (resource, name, type, patch, parameters = {}) =>
      send({
        method: 'PATCH',
        path: objectPath(resource, name, parameters.namespace, parameters.subresource),
        query: writeQuery(parameters),
        headers: { 'content-type': PATCH_CONTENT_TYPE[type] },
        body: patch,
        ...signalOf(parameters),
      }),
    delete: (resource, name, parameters = {}) =>
      send<KubeObject>({
        method: 'DELETE',
        path: objectPath(resource, name, parameters.namespace),
        body: deleteOptions(parameters),
        ...signalOf(parameters),
      }),
    deleteCollection: (resource, parameters = {}) =>
      send<KubeObject>({
        method: 'DELETE',
        path: collectionPath(resource, requireNamespace(resource, parameters.namespace)),
        query: listQuery(parameters),
        body: deleteOptions(parameters),
        ...signalOf(parameters),
      }),
    watch<T>(
      resource: ResourceRef<T>,
      parameters: ListParameters & { allowBookmarks?: boolean; sendInitialEvents?: boolean } = {},
    ) {
      return transport.watch({
        method: 'GET',
        path: collectionPath(resource, parameters.namespace),
        query: {
          ...listQuery(parameters),
          watch: '1',
          ...(parameters.allowBookmarks && { allowWatchBookmarks: 'true' }),
          ...(parameters.sendInitialEvents && { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }),
        },
        ...signalOf(parameters),
      }) as AsyncIterable<WatchEvent<T>[]>
    },
  }
}

function requireNamespace(resource: ResourceRef, namespace: string | undefined): string | undefined {
  if (resource.namespaced && !namespace) throw new TypeError(`${resource.plural}: a namespace is required`)
  return namespace
}

function signalOf(parameters: { signal?: AbortSignal | undefined }): { signal?: AbortSignal } {
  return parameters.signal ? { signal: parameters.signal } : {}
}

function listQuery(p: ListParameters): Record<string, string> {
  return {
    ...(p.labelSelector && { labelSelector: p.labelSelector }),
    ...(p.fieldSelector && { fieldSelector: p.fieldSelector }),
    ...(p.limit && { limit: String(p.limit) }),
    ...(p.continue && { continue: p.continue }),
    ...(p.resourceVersion !== undefined && { resourceVersion: p.resourceVersion }),
    ...(p.resourceVersionMatch && { resourceVersionMatch: p.resourceVersionMatch }),
  }
}

function writeQuery(p: WriteParameters): Record<string, string> {
  return {
    ...(p.fieldManager && { fieldManager: p.fieldManager }),
    ...(p.fieldValidation && { fieldValidation: p.fieldValidation }),
    ...(p.dryRun && { dryRun: 'All' }),
    ...(p.force && { force: 'true' }),
  }
}

function deleteOptions(p: DeleteParameters): object {
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(p.gracePeriodSeconds !== undefined && { gracePeriodSeconds: p.gracePeriodSeconds }),
    ...(p.propagationPolicy && { propagationPolicy: p.propagationPolicy }),
    ...(p.preconditions && { preconditions: p.preconditions }),
    ...(p.dryRun && { dryRun: ['All'] }),
  }
}
