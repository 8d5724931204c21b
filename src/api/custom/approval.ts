/** Groups that belong to the Kubernetes project: definitions in them say where the project approved them. */

/** The annotation that links to the approval. */
export const APPROVED = 'api-approved.kubernetes.io'

export function protectedGroup(group: string): boolean {
  return group === 'k8s.io' || group === 'kubernetes.io' || group.endsWith('.k8s.io') || group.endsWith('.kubernetes.io')
}
