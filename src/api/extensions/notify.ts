/** Which containers of a pod use sd_notify, from its annotations. Pure. */
import type { Pod, PodSpec } from '../types.ts'
import { type AnnotationProblem, NOTIFY, NOTIFY_PREFIX } from './names.ts'

export interface NotifyWishes {
  containers: ReadonlySet<string>
  problems: readonly AnnotationProblem[]
}

export function notifyWishes({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): NotifyWishes {
  const containers = new Set<string>()
  const problems: AnnotationProblem[] = []
  const annotations = metadata.annotations ?? {}
  const read = (annotation: string): boolean => {
    const value = annotations[annotation]
    if (value !== 'true' && value !== 'false')
      problems.push({ annotation, message: `must be "true" or "false", not ${JSON.stringify(value)}` })
    return value === 'true'
  }
  if (annotations[NOTIFY] !== undefined && read(NOTIFY)) for (const { name } of spec?.containers ?? []) containers.add(name)
  for (const annotation of Object.keys(annotations)) {
    if (!annotation.startsWith(NOTIFY_PREFIX)) continue
    const name = annotation.slice(NOTIFY_PREFIX.length)
    const wanted = read(annotation)
    const problem = whyNot(spec, name)
    if (problem) problems.push({ annotation, message: problem })
    else if (wanted) containers.add(name)
    else containers.delete(name)
  }
  return { containers, problems }
}

function whyNot(spec: PodSpec | undefined, name: string): string | undefined {
  if (spec?.containers.some((container) => container.name === name)) return undefined
  const init = spec?.initContainers?.find((container) => container.name === name)
  if (!init) return `the pod has no container ${JSON.stringify(name)}`
  if (init.restartPolicy === 'Always') return undefined
  return `init container ${JSON.stringify(name)} is done when it ends; only containers that go on running say that they are ready`
}
