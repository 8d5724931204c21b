/** The list of node fields that pods may see, as the cluster has it now. */
import { DEFAULT_NODE_FIELDS, NODE_FIELDS, nodeFieldsOf } from '../../api/downward/node-fields.ts'
import { isNotFound } from '../../api/status.ts'
import type { Client } from '../../client/client.ts'
import { configMaps } from '../../client/resources.ts'

export { isAllowed, NODE_FIELDS } from '../../api/downward/node-fields.ts'

/** Read anew each time: few paths name a node, and the list may change. */
export async function allowedNodeFields(client: Client): Promise<readonly string[]> {
  const { namespace, name } = NODE_FIELDS
  try {
    return nodeFieldsOf(await client.get(configMaps, name, { namespace }))
  } catch (error) {
    if (isNotFound(error)) return DEFAULT_NODE_FIELDS
    throw error
  }
}
