/**
 * A rehearsal: the engine compiles what runs often, and on a cluster that has just started nothing has run yet, so that its
 * first thousand writes would take twice as long as those after them. Once `skiff up` is ready, the same code paths are run on
 * a server of their own, in memory, which is thrown away: nothing of it shows in the real one's objects, metrics or audit log.
 * One request at a time, so that a real request never waits for more than one.
 */
import { builtinDefinitions } from '../api/definitions.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import type { InProcessDoor } from '../server/contract.ts'
import { createApiServer } from '../server/server.ts'
import { createMemoryStore } from '../store/memory.ts'

/** Each makes, reads, changes and deletes one pod, and applies one config map. */
const ROUNDS = 300
const ADMIN = { name: 'rehearsal', groups: ['system:masters'] }
const NAMESPACE = '/api/v1/namespaces/default'

/** Resolves when the rehearsal is over, or soon after the signal aborts. Rejects when a request fails that must not. */
export async function rehearse(signal: AbortSignal): Promise<void> {
  const store = createMemoryStore({ clock: systemClock })
  const server = await createApiServer({ store, definitions: builtinDefinitions, clock: systemClock, log: silentLog })
  const stopWatching = new AbortController()
  try {
    const door = server.inProcess(ADMIN)
    const watched = door.watch({ method: 'GET', path: `${NAMESPACE}/pods`, signal: stopWatching.signal }, () => {})
    await send(door, 'POST', `${NAMESPACE}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    })
    for (let round = 0; round < ROUNDS && !signal.aborted; round++) {
      await play(door, round)
      await nextTurn()
    }
    stopWatching.abort()
    await watched
  } finally {
    stopWatching.abort()
    await server.close()
    await store.close()
  }
}

async function play(door: InProcessDoor, round: number): Promise<void> {
  const name = `rehearsal-${round}`
  const pod = `${NAMESPACE}/pods/${name}`
  const status = { status: { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] } }
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `rehearsal-${round % 10}` }, data: { round: name } }
  await send(door, 'POST', `${NAMESPACE}/pods`, podNamed(name))
  await send(door, 'GET', pod)
  await send(door, 'PATCH', `${pod}/status`, status, 'application/strategic-merge-patch+json')
  await send(door, 'PATCH', `${NAMESPACE}/configmaps/${configMap.metadata.name}`, configMap, 'application/apply-patch+yaml')
  await send(door, 'DELETE', pod, { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 })
}

function podNamed(name: string): object {
  const resources = { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '32Mi' } }
  const env = [{ name: 'A', value: '1' }]
  const ports = [{ containerPort: 80 }]
  const container = { name: 'web', image: 'web:v1', env, ports, resources }
  const metadata = { name, labels: { app: 'rehearsal' }, annotations: { note: name } }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'none', containers: [container] } }
}

/** As bytes, the way requests come from outside. */
async function send(door: InProcessDoor, method: string, path: string, body?: object, type = 'application/json'): Promise<void> {
  const query = type === 'application/apply-patch+yaml' ? { fieldManager: 'rehearsal', force: 'true' } : {}
  const headers = { 'content-type': type, accept: 'application/json' }
  const response = await door.request({ method, path, query, headers, ...(body && { body: Buffer.from(JSON.stringify(body)) }) })
  response.bytes()
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
