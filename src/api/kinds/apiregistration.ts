/** apiregistration.k8s.io/v1: APIService. */
import { type Errors, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel1035, dnsSubdomain, portNumber } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { APIService } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'
import { collect, obey, requireText } from './rules.ts'

function available(service: APIService): string {
  const condition = service.status?.conditions?.find((c) => c.type === 'Available')
  if (!condition) return 'Unknown'
  return condition.status === 'True' || !condition.reason ? condition.status : `${condition.status} (${condition.reason})`
}

const MAX_GROUP_PRIORITY = 20000
const MAX_VERSION_PRIORITY = 1000

function check(service: APIService, errors: Errors): void {
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = service.spec ?? {}
  const name = `${version}.${group}`
  if (service.metadata.name !== name) {
    const detail = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`
    errors.push(invalid('metadata.name', service.metadata.name ?? '', detail))
  }
  if (!group && version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  }
  if (group) obey(group, dnsSubdomain, 'spec.group', errors)
  obey(version, dnsLabel1035, 'spec.version', errors)
  if (groupPriorityMinimum < 1 || groupPriorityMinimum > MAX_GROUP_PRIORITY) {
    errors.push(
      invalid('spec.groupPriorityMinimum', groupPriorityMinimum, `must be positive and less than ${MAX_GROUP_PRIORITY}`),
    )
  }
  if (versionPriority < 1 || versionPriority > MAX_VERSION_PRIORITY) {
    errors.push(invalid('spec.versionPriority', versionPriority, `must be positive and less than ${MAX_VERSION_PRIORITY}`))
  }
  checkTarget(service, errors)
}

function checkTarget({ spec }: APIService, errors: Errors): void {
  if (!spec?.service) {
    if (spec?.caBundle) {
      const bytes = Buffer.from(spec.caBundle, 'base64').length
      errors.push(invalid('spec.caBundle', `${bytes} bytes`, 'local APIServices may not have a caBundle'))
    }
    if (spec?.insecureSkipTLSVerify) {
      const detail = 'local APIServices may not have insecureSkipTLSVerify'
      errors.push(invalid('spec.insecureSkipTLSVerify', true, detail))
    }
    return
  }
  requireText(spec.service.namespace, 'spec.service.namespace', errors)
  requireText(spec.service.name, 'spec.service.name', errors)
  const { port = 443 } = spec.service
  for (const complaint of portNumber(port)) errors.push(invalid('spec.service.port', port, `port is not valid: ${complaint}`))
  if (spec.insecureSkipTLSVerify && spec.caBundle) {
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
  }
}

const validate = (object: KubeObject) => collect((errors) => check(object as APIService, errors))

const STATES = ['True', 'False', 'Unknown']

function checkStatus({ status }: APIService, errors: Errors): void {
  status?.conditions?.forEach((condition, index) => {
    if (STATES.includes(condition.status)) return
    errors.push(notSupported(`status.conditions[${index}].status`, condition.status ?? '', STATES))
  })
}

const apiService: DefinitionInput = {
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  namespaced: false,
  status: true,
  columns: [
    column('Service', (object) => {
      const service = object.spec?.service
      return service ? `${service.namespace ?? ''}/${service.name ?? ''}` : 'Local'
    }),
    column('Available', (object) => available(object as APIService)),
    ageColumn,
  ],
  strategy: statusStrategy(() => ({}), {
    defaults: (object) => {
      if (object.spec?.service) object.spec.service.port ??= 443
    },
    validate,
    validateUpdate: validate,
    validateStatusUpdate: (object) => collect((errors) => checkStatus(object as APIService, errors)),
    allowUnconditionalUpdate: false,
    countsGeneration: false,
    nameRule: 'path',
  }),
}

export const apiregistrationDefinitions = defineGroup(
  { group: 'apiregistration.k8s.io', version: 'v1', package: 'apiregistration/v1' },
  [apiService],
)
