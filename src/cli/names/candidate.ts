/** An object that a bare name may mean, and how it is named in what commands print. */
import type { Metadata } from '../../api/object.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'

export interface Candidate {
  readonly resource: DiscoveredResource
  readonly name: string
  /** Undefined for what lies in no namespace. */
  readonly namespace: string | undefined
  readonly metadata: Metadata
}

/** `deployment/web`, `widget.example.com/web`: what can be typed in place of the name, and is exact. */
export function handleOf({ resource, name }: Pick<Candidate, 'resource' | 'name'>): string {
  return `${kindWord(resource)}/${name}`
}

/** Kubernetes' own kinds go by their short name; others need their group to be told apart. */
export function kindWord({ singular, group }: Pick<DiscoveredResource, 'singular' | 'group'>): string {
  return isBuiltIn(group) ? singular : `${singular}.${group}`
}

export function isBuiltIn(group: string): boolean {
  return !group.includes('.') || group.endsWith('.k8s.io')
}

/** Whether a controller made it: then it is not what people name, unless nothing else is. */
export function isControlled({ metadata }: Candidate): boolean {
  return metadata.ownerReferences?.some(({ controller }) => controller) === true
}

export function candidateOf(resource: DiscoveredResource, metadata: Metadata): Candidate {
  return { resource, name: metadata.name ?? '', namespace: resource.namespaced ? metadata.namespace : undefined, metadata }
}
