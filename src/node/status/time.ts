/** RFC 3339 in whole seconds: times in a pod's status. */
export function statusTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
