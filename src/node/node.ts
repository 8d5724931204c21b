/**
 * One node's agent: registers the node, runs the pods that are bound to it, and answers for their streams. It meets the
 * control plane only at the API. `createNodes` runs many in one process on shared watches.
 */
import { NodeAgent } from './node-agent.ts'
import type { Node, NodeOptions, SharedNodeOptions } from './node-options.ts'
import { createNodeSources } from './node-sources.ts'

export type CreateNodeOptions = NodeOptions & SharedNodeOptions

export function createNode(options: CreateNodeOptions): Node {
  return createNodes([options], options)[0] as Node
}

/** Nodes that share one watch of pods, Services and named objects. The watches end when the last node has stopped. */
export function createNodes(each: readonly NodeOptions[], shared: SharedNodeOptions): Node[] {
  const sources = createNodeSources(
    shared,
    each.map(({ name }) => name),
  )
  let running = each.length
  return each.map((options) => {
    const agent = new NodeAgent(options, shared, sources)
    let stopped: Promise<void> | undefined
    return {
      name: options.name,
      streams: agent.streams,
      start: () => agent.start(),
      stop(stopOptions) {
        stopped ??= agent.stop(stopOptions ?? {}).finally(async () => {
          running -= 1
          if (running === 0) await sources.close()
        })
        return stopped
      },
    }
  })
}

export type { Node, NodeOptions, SharedNodeOptions } from './node-options.ts'
