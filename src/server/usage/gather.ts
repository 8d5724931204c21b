/** Asks the node agents what pods and nodes use: each agent once for all that is wanted of it, all of them at the same time. */
import type { KubeObject } from '../../api/object.ts'
import type { NodeUsage, PodUsage } from '../../api/usage.ts'
import type { Core } from '../core.ts'

const NO_PODS: ReadonlySet<string> = new Set()

/** By node name; nodes that are not connected, or cannot answer now, are missing. */
export async function nodesUsage(
  core: Core,
  nodes: readonly KubeObject[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, NodeUsage>> {
  const wanted = new Map(nodes.map(({ metadata }) => [metadata.name ?? '', NO_PODS]))
  return ask(core, wanted, signal)
}

/** By pod uid; pods that run nothing are missing. */
export async function podsUsage(
  core: Core,
  pods: readonly KubeObject[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, PodUsage>> {
  const wanted = new Map<string, Set<string>>()
  for (const { metadata, spec, status } of pods) {
    if (status?.phase !== 'Running' || !spec?.nodeName || !metadata.uid) continue
    const there = wanted.get(spec.nodeName)
    if (there) there.add(metadata.uid)
    else wanted.set(spec.nodeName, new Set([metadata.uid]))
  }
  const found = new Map<string, PodUsage>()
  for (const { pods: measured } of (await ask(core, wanted, signal)).values())
    for (const pod of measured) if (pod.containers.length > 0) found.set(pod.uid, pod)
  return found
}

async function ask(
  core: Core,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
  signal: AbortSignal,
): Promise<Map<string, NodeUsage>> {
  const until = AbortSignal.any([signal, core.closing])
  const answers = await Promise.all(
    [...wanted].map(async ([name, uids]) => {
      try {
        return [name, await core.nodes.get(name)?.usage(uids, until)] as const
      } catch (error) {
        until.throwIfAborted()
        // One node that cannot answer does not keep the others from being seen.
        core.log.warn('a node does not say what it uses', { node: name, error: (error as Error).message })
        return [name, undefined] as const
      }
    }),
  )
  return new Map(answers.flatMap(([name, usage]) => (usage ? [[name, usage] as const] : [])))
}
