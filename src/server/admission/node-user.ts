/** Which node a user is: kubelets are told from others by their name and group, and by nothing else. */
import type { UserInfo } from '../contract.ts'

const NODES_GROUP = 'system:nodes'
const NODE_PREFIX = 'system:node:'

/** The node a user is, or undefined for everybody else. */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(NODE_PREFIX) || !user.groups.includes(NODES_GROUP)) return undefined
  return user.name.slice(NODE_PREFIX.length) || undefined
}
