/** admissionregistration.k8s.io/v1: the list of its kinds. */
import { admissionPolicies } from './admission-policy.ts'
import { defineGroup } from './define.ts'
import { webhookConfigurations } from './webhook-configuration.ts'

export const admissionregistrationDefinitions = defineGroup(
  { group: 'admissionregistration.k8s.io', version: 'v1', package: 'admissionregistration/v1' },
  [...admissionPolicies, ...webhookConfigurations],
)
