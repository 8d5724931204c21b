/** The annotations, the gate and the condition of preconditions. */

/** On pods, pod templates and the objects that have one: what must hold before the pods start, as YAML. */
export const REQUIRES = 'skiff.dev/requires'
/** `"true"` on a pod, its template or its namespace (there as label or annotation): what the pod refers to is required, too. */
export const INFER_REQUIRES = 'skiff.dev/infer-requires'
/** On pods: every requirement that holds the pod, inferred ones included, as JSON. Written at admission only. */
export const RESOLVED = 'skiff.dev/requires-resolved'
/** On templates: says that the template's requirements are those of the object around it. */
export const FROM_OWNER = 'skiff.dev/requires-from'
/** The scheduling gate, and the pod's condition. */
export const REQUIRES_GATE = 'skiff.dev/requires'
export const REQUIREMENTS_MET = 'skiff.dev/RequirementsMet'

/** One pod's requirements; more is a sign of a mistake, and each costs a subscription. */
export const MAX_REQUIREMENTS = 64
/** Of a target, and of a condition: messages and conditions of pods repeat them. */
export const MAX_REQUIREMENT_LENGTH = 1_024
