/** flowcontrol.apiserver.k8s.io/v1: which requests wait for which. Scheduling by them is the server's. */
import type { Strategy } from '../definition.ts'
import type { Errors } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { FlowSchema } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'
import { checkFlowConditions, checkFlowSchema, checkPriorityLevel } from './flow-rules.ts'
import { collect } from './rules.ts'

function missingPriorityLevel(schema: FlowSchema): string {
  return schema.status?.conditions?.find((c) => c.type === 'Dangling')?.status ?? '?'
}

function defaultFlow(flow: KubeObject): void {
  flow.spec ??= {}
  flow.spec.matchingPrecedence ||= 1000
}

function defaultLevel(level: KubeObject): void {
  level.spec ??= {}
  const { limited, exempt } = level.spec
  if (level.spec.type === 'Exempt') {
    level.spec.exempt = {
      ...exempt,
      nominalConcurrencyShares: exempt?.nominalConcurrencyShares ?? 0,
      lendablePercent: exempt?.lendablePercent ?? 0,
    }
  }
  if (!limited) return
  limited.nominalConcurrencyShares ??= 30
  limited.lendablePercent ??= 0
  const queuing = limited.limitResponse?.queuing
  if (!queuing) return
  queuing.queues ||= 64
  queuing.handSize ||= 8
  queuing.queueLengthLimit ||= 50
}

function flowStrategy(defaults: (object: KubeObject) => void, check: (object: KubeObject, errors: Errors) => void): Strategy {
  const validate = (object: KubeObject) => collect((errors) => check(object, errors))
  return statusStrategy(() => ({}), {
    defaults,
    validate,
    validateUpdate: validate,
    validateStatusUpdate: (object) => collect((errors) => checkFlowConditions(object, errors)),
    allowUnconditionalUpdate: false,
  })
}

const flowSchema: DefinitionInput = {
  kind: 'FlowSchema',
  plural: 'flowschemas',
  namespaced: false,
  status: true,
  columns: [
    column('PriorityLevel', (object) => object.spec?.priorityLevelConfiguration?.name ?? ''),
    column('MatchingPrecedence', (object) => object.spec?.matchingPrecedence ?? 0),
    column('DistinguisherMethod', (object) => object.spec?.distinguisherMethod?.type ?? '<none>'),
    ageColumn,
    column('MissingPL', (object) => missingPriorityLevel(object as FlowSchema)),
  ],
  strategy: flowStrategy(defaultFlow, checkFlowSchema),
}

const queuing = (object: KubeObject): Record<string, number> | undefined => object.spec?.limited?.limitResponse?.queuing

const priorityLevelConfiguration: DefinitionInput = {
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  namespaced: false,
  status: true,
  columns: [
    column('Type', (object) => object.spec?.type ?? ''),
    column('NominalConcurrencyShares', (object) => object.spec?.limited?.nominalConcurrencyShares ?? '<none>'),
    column('Queues', (object) => queuing(object)?.queues ?? '<none>'),
    column('HandSize', (object) => queuing(object)?.handSize ?? '<none>'),
    column('QueueLengthLimit', (object) => queuing(object)?.queueLengthLimit ?? '<none>'),
    ageColumn,
  ],
  strategy: flowStrategy(defaultLevel, checkPriorityLevel),
}

export const flowcontrolDefinitions = defineGroup(
  { group: 'flowcontrol.apiserver.k8s.io', version: 'v1', package: 'flowcontrol/v1' },
  [flowSchema, priorityLevelConfiguration],
)
