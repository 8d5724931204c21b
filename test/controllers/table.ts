/** Tables of cases in YAML beside the tests, and the short forms they use for objects. */
import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import type { Pod } from '../../src/api/types.ts'

/** Now, in every table. */
export const NOW = '2030-01-01T00:00:00Z'
export const NOW_MS = Date.parse(NOW)

/** A list of cases, each with a `name`; `url` is the test's `import.meta.url`. */
export function cases<T extends { name: string }>(url: string, file: string): T[] {
  return load(readFileSync(new URL(file, url), 'utf8')) as T[]
}

/** `30s`, `5m`, `2h` before now as a wire time. */
export function ago(duration: string): string {
  const match = /^(\d+)([smhd])$/.exec(duration)
  if (!match) throw new Error(`not a duration: ${duration}`)
  const unit = { s: 1, m: 60, h: 3600, d: 86400 }[match[2] as 's' | 'm' | 'h' | 'd']
  return `${new Date(NOW_MS - Number(match[1]) * unit * 1000).toISOString().slice(0, 19)}Z`
}

export interface ShortPod {
  name: string
  node?: string
  phase?: string
  /** For how long it has been ready. */
  ready?: string
  age?: string
  cost?: string
  restarts?: number
  labels?: Record<string, string>
  deleted?: boolean
  owner?: string
  ip?: string
}

export function pod(short: ShortPod): Pod {
  return {
    metadata: {
      name: short.name,
      namespace: 'default',
      uid: short.name,
      creationTimestamp: ago(short.age ?? '1h'),
      ...(short.labels && { labels: short.labels }),
      ...(short.cost !== undefined && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': short.cost } }),
      ...(short.deleted && { deletionTimestamp: NOW }),
      ...(short.owner && {
        ownerReferences: [{ apiVersion: 'v1', kind: 'Any', name: short.owner, uid: short.owner, controller: true }],
      }),
    },
    spec: { containers: [], ...(short.node && { nodeName: short.node }) },
    status: {
      phase: short.phase ?? (short.ready ? 'Running' : 'Pending'),
      ...(short.ip && { podIP: short.ip, podIPs: [{ ip: short.ip }] }),
      ...(short.ready && { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ago(short.ready) }] }),
      ...(short.restarts && {
        containerStatuses: [{ name: 'c', ready: true, restartCount: short.restarts, image: 'i', imageID: 'i' }],
      }),
    },
  }
}
