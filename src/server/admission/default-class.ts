/** Which of several classes is the default one: the newest that says so, then the first by name. */
import type { KubeObject } from '../../api/object.ts'

export function defaultClassOf(classes: readonly KubeObject[], annotation: string): KubeObject | undefined {
  const candidates = classes.filter((each) => each.metadata.annotations?.[annotation] === 'true')
  return candidates.sort((a, b) => {
    const [older, newer] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
    if (older !== newer) return older < newer ? 1 : -1
    return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
  })[0]
}
