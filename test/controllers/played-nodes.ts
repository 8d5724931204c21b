/**
 * Plays scheduler and kubelets through the API: binds pods in turn, makes them ready, confirms deletions.
 * The images `job:ok` and `job:fail` end at once.
 */
import { isConflict, isNotFound, StatusError } from '../../src/api/status.ts'
import type { Pod } from '../../src/api/types.ts'
import type { Client } from '../../src/client/client.ts'
import { nodes, pods } from '../../src/client/resources.ts'
import { nodeOf } from '../../src/controllers/daemon-set/eligible.ts'
import type { Informers } from '../../src/watch/informers.ts'

export function playNodes(
  client: Client,
  informers: Informers,
): { stop(): void; setReady(decide: (image: string) => boolean): void } {
  let isReady: (image: string) => boolean = () => true
  let turn = 0
  const started = new Set<string>()
  const addresses = new Map<string, number>()
  const nodeStore = informers.get(nodes).store

  async function play(pod: Pod): Promise<void> {
    const { name = '', namespace, uid = '' } = pod.metadata
    if (!pod.spec?.nodeName) {
      if (pod.metadata.deletionTimestamp) return
      const target = nodeOf(pod) ?? nodeStore.list()[turn++ % Math.max(1, nodeStore.size)]?.metadata.name
      if (!target) return
      const body = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name },
        target: { apiVersion: 'v1', kind: 'Node', name: target },
      }
      await client.createSubresource(pods, name, 'binding', body, { namespace })
    } else if (pod.metadata.deletionTimestamp) {
      await client.delete(pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } })
    } else if (!started.has(uid)) {
      started.add(uid)
      await client.patch(pods, name, 'strategic', { status: statusOf(pod) }, { namespace, subresource: 'status' })
    }
  }

  function statusOf(pod: Pod): object {
    const now = `${new Date().toISOString().slice(0, 19)}Z`
    const image = pod.spec?.containers[0]?.image ?? ''
    const number = addresses.size + 1
    addresses.set(pod.metadata.uid ?? '', number)
    const podIP = `10.200.${number >> 8}.${number & 255}`
    if (image.startsWith('job:')) return endOf(image.endsWith(':ok'), now, podIP)
    const ready = isReady(image)
    const conditions = ['Initialized', 'PodScheduled'].map((type) => ({ type, status: 'True', lastTransitionTime: now }))
    for (const type of ['ContainersReady', 'Ready'])
      conditions.push({ type, status: ready ? 'True' : 'False', lastTransitionTime: now })
    return { phase: 'Running', startTime: now, podIP, podIPs: [{ ip: podIP }], conditions }
  }

  function endOf(succeeded: boolean, now: string, podIP: string): object {
    const terminated = { exitCode: succeeded ? 0 : 1, startedAt: now, finishedAt: now }
    const containerStatuses = [{ name: 'c', ready: false, restartCount: 0, image: '', imageID: '', state: { terminated } }]
    return { phase: succeeded ? 'Succeeded' : 'Failed', startTime: now, podIP, podIPs: [{ ip: podIP }], containerStatuses }
  }

  const stop = informers.get(pods).subscribe(({ object }) => {
    if (!object) return
    play(object).catch((error: unknown) => {
      // Gone, replaced, or in a namespace that is going away.
      if (isNotFound(error) || isConflict(error) || (error instanceof StatusError && error.code === 403)) return
      process.stderr.write(`played node: ${String(error)}\n`)
    })
  })
  return {
    stop,
    setReady(decide) {
      isReady = decide
    },
  }
}
