/** node.k8s.io/v1: RuntimeClass. */
import type { Errors } from '../field-errors.ts'
import { dnsLabel } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { RuntimeClass } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'
import { nodeLabelComplaint } from './node-labels.ts'
import { checkResources } from './resource-rules.ts'
import { checkImmutable, checkLabels, collect, obey } from './rules.ts'
import { checkTolerations } from './scheduling-rules.ts'

function check(runtimeClass: RuntimeClass, errors: Errors): void {
  obey(runtimeClass.handler ?? '', dnsLabel, 'handler', errors)
  // What the pods cost is judged, and named, as the limits of a container are.
  const limits = runtimeClass.overhead?.podFixed
  if (limits) checkResources({ limits }, 'overhead', errors)
  checkLabels(runtimeClass.scheduling?.nodeSelector, 'scheduling.nodeSelector', errors)
  checkTolerations(runtimeClass.scheduling?.tolerations, 'scheduling.tolerations', errors)
}

const runtimeClass: DefinitionInput = {
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
  columns: [column('Handler', (object) => object.handler ?? ''), ageColumn],
  strategy: {
    validate: (object: KubeObject) => collect((errors) => check(object as unknown as RuntimeClass, errors)),
    validateUpdate: (object, old) => collect((errors) => checkImmutable(object.handler, old.handler, 'handler', errors)),
    warnings: (object) =>
      Object.keys(object.scheduling?.nodeSelector ?? {})
        .map((key) => nodeLabelComplaint(key))
        .filter((complaint) => complaint !== undefined)
        .map((complaint) => `scheduling.nodeSelector: ${complaint}`),
    allowUnconditionalUpdate: false,
  },
}

export const nodeApiDefinitions = defineGroup({ group: 'node.k8s.io', version: 'v1', package: 'node/v1' }, [runtimeClass])
