/** Labels of nodes that went out of use, and the warnings to whoever still selects nodes by them. */
import { labelValue } from '../names.ts'
import type { LabelSelector, NodeSelectorTerm } from '../types.ts'

const DEPRECATED: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
}

/** What is to be said of a label, if anything. */
export function nodeLabelComplaint(key: string): string | undefined {
  return Object.hasOwn(DEPRECATED, key) ? DEPRECATED[key] : undefined
}

/** `checkValues`: the values are not checked elsewhere, as those of preferences are not. */
export function warnOfNodeTerm(term: NodeSelectorTerm | undefined, checkValues: boolean, path: string, warnings: string[]): void {
  term?.matchExpressions?.forEach(({ key = '', values }, index) => {
    const at = `${path}.matchExpressions[${index}]`
    const complaint = nodeLabelComplaint(key)
    if (complaint) warnings.push(`${at}.key: ${key} is ${complaint}`)
    if (!checkValues) return
    values?.forEach((value, i) => {
      for (const text of labelValue(value)) warnings.push(`${at}.values[${i}]: ${value} is invalid, ${text}`)
    })
  })
}

export function warnOfNodeSelector(selector: LabelSelector | undefined, path: string, warnings: string[]): void {
  warnOfNodeTerm(selector as NodeSelectorTerm | undefined, false, path, warnings)
  for (const key in selector?.matchLabels) {
    const complaint = nodeLabelComplaint(key)
    if (complaint) warnings.push(`${path}.matchLabels.${key}: ${complaint}`)
  }
}
