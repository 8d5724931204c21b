import { describe, expect, it } from 'vitest'
import { parseTarget } from '../../../src/server/request/target.ts'

const about = (method: string, path: string, watch = false) => {
  const target = parseTarget(method, path, watch)
  if (!target.resource) return `${target.verb} ${target.path}`
  const { verb, group, version, plural, namespace, name, subresource } = target
  return [verb, group || 'core', version, plural, namespace || '-', name || '-', subresource || '-'].join(' ')
}

describe('paths', () => {
  it.each([
    ['GET', '/api/v1/namespaces/a/pods/p', 'get core v1 pods a p -'],
    ['GET', '/api/v1/namespaces/a/pods', 'list core v1 pods a - -'],
    ['GET', '/api/v1/pods', 'list core v1 pods - - -'],
    ['GET', '/apis/apps/v1/namespaces/a/deployments/d/scale', 'get apps v1 deployments a d scale'],
    ['POST', '/api/v1/namespaces/a/pods/p/binding', 'create core v1 pods a p binding'],
    ['DELETE', '/api/v1/namespaces/a/pods', 'deletecollection core v1 pods a - -'],
    ['GET', '/api/v1/namespaces', 'list core v1 namespaces - - -'],
    ['GET', '/api/v1/namespaces/a', 'get core v1 namespaces a a -'],
    ['PUT', '/api/v1/namespaces/a/finalize', 'update core v1 namespaces a a finalize'],
    ['PATCH', '/api/v1/namespaces/a/status', 'patch core v1 namespaces a a status'],
    ['GET', '/api/v1/nodes/n/status', 'get core v1 nodes - n status'],
    ['GET', '/api/v1/watch/namespaces/a/pods/p', 'watch core v1 pods a p -'],
    ['GET', '/api/v1/namespaces/a/pods/', 'list core v1 pods a - -'],
    ['GET', '/api/v1/namespaces//pods', 'list core v1 pods - - -'],
    ['GET', '/api/v1/namespaces/a/configmaps/%75ni', 'get core v1 configmaps a uni -'],
    ['GET', '/healthz', 'get /healthz'],
    ['GET', '/api/v1', 'get /api/v1'],
    ['GET', '/apis/apps', 'get /apis/apps'],
    ['GET', '/apis/apps/v1', 'get /apis/apps/v1'],
  ])('%s %s', (method, path, expected) => {
    expect(about(method, path)).toBe(expected)
  })

  it('watches a collection, and reads a named object whatever the query says', () => {
    expect(about('GET', '/api/v1/pods', true)).toBe('watch core v1 pods - - -')
    expect(about('GET', '/api/v1/namespaces/a/pods/p', true)).toBe('get core v1 pods a p -')
  })
})
