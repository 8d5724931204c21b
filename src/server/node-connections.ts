/** Which node's containers are reached how. */
import type { NodeStreams } from '../api/streams.ts'

export class NodeConnections {
  #streams = new Map<string, NodeStreams>()

  /** The returned function takes the connection back, unless another has taken its place. */
  connect(nodeName: string, streams: NodeStreams): () => void {
    this.#streams.set(nodeName, streams)
    return () => {
      if (this.#streams.get(nodeName) === streams) this.#streams.delete(nodeName)
    }
  }

  get(nodeName: string): NodeStreams | undefined {
    return this.#streams.get(nodeName)
  }
}
