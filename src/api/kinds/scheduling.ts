/** scheduling.k8s.io/v1: PriorityClass. */
import { type Errors, forbidden, immutable } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'
import { collect, oneOf } from './rules.ts'

const MAX_USER_VALUE = 1_000_000_000
/** The classes that every cluster has. */
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

function check(priorityClass: KubeObject, errors: Errors): void {
  const name = priorityClass.metadata.name ?? ''
  const isSystem = SYSTEM_PRIORITIES[name] !== undefined && SYSTEM_PRIORITIES[name] === priorityClass.value
  if (name.startsWith('system-') && !isSystem) {
    const detail = "priority class names with 'system-' prefix are reserved for system use only. error: "
    errors.push(forbidden('metadata.name', `${detail}${name} is not a known system priority class`))
  } else if ((priorityClass.value ?? 0) > MAX_USER_VALUE && !isSystem) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${MAX_USER_VALUE}`))
  }
  oneOf(priorityClass.preemptionPolicy, ['Never', 'PreemptLowerPriority'], 'preemptionPolicy', errors)
}

function checkUpdate(priorityClass: KubeObject, old: KubeObject, errors: Errors): void {
  if (priorityClass.value !== old.value) errors.push(forbidden('value', 'may not be changed in an update.'))
  if (priorityClass.preemptionPolicy !== old.preemptionPolicy) {
    errors.push(immutable('preemptionPolicy', priorityClass.preemptionPolicy))
  }
}

const priorityClass: DefinitionInput = {
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  columns: [
    column('Value', (object) => object.value ?? 0, 'integer'),
    column('Global-Default', (object) => object.globalDefault ?? false, 'boolean'),
    ageColumn,
    column('PreemptionPolicy', (object) => object.preemptionPolicy ?? '<none>'),
  ],
  strategy: {
    defaults: (object) => {
      object.preemptionPolicy ??= 'PreemptLowerPriority'
    },
    validate: (object) => collect((errors) => check(object, errors)),
    validateUpdate: (object, old) => collect((errors) => checkUpdate(object, old, errors)),
    countsGeneration: true,
    generationFields: [],
  },
}

export const schedulingDefinitions = defineGroup({ group: 'scheduling.k8s.io', version: 'v1', package: 'scheduling/v1' }, [
  priorityClass,
])
