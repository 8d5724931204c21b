/** Ingress and IngressClass. */
import { type Errors, forbidden, invalid, notSupported, required, tooLong } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain, httpPath } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { Ingress, IngressClass } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { checkIngress, checkIngressStatus, checkReference } from './ingress-rules.ts'
import { checkImmutable, collect, obey } from './rules.ts'

/** As many hosts as kubectl shows before it says how many more rules there are. */
const SHOWN = 3

function hosts(ingress: Ingress): string {
  const rules = ingress.spec?.rules ?? []
  const names = rules.map((rule) => rule.host ?? '').filter((host) => host !== '')
  if (names.length === 0) return '*'
  return names.length > SHOWN ? `${names.slice(0, SHOWN).join(',')} + ${rules.length - SHOWN} more...` : names.join(',')
}

function address(ingress: Ingress): string {
  const points = (ingress.status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || '').filter((a) => a !== '')
  return [...new Set(points)].sort().join(',')
}

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

/** A new Ingress names its class in one place. */
function checkClassOnce(ingress: Ingress, errors: Errors): void {
  const annotated = ingress.metadata.annotations?.[CLASS_ANNOTATION]
  if (annotated === undefined || ingress.spec?.ingressClassName === undefined) return
  const detail = 'can not be set when the class field is also set'
  errors.push(invalid(`annotations.${CLASS_ANNOTATION}`, annotated, detail))
}

export const ingress: DefinitionInput = {
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  status: true,
  columns: [
    column('Class', (object) => object.spec?.ingressClassName ?? '<none>'),
    column('Hosts', (object) => hosts(object as Ingress)),
    column('Address', (object) => address(object as Ingress)),
    column('Ports', (object) => (object.spec?.tls?.length ? '80, 443' : '80')),
    ageColumn,
  ],
  strategy: statusStrategy(() => ({ loadBalancer: {} }), {
    validate: (object) =>
      collect((errors) => {
        checkIngress(object as Ingress, errors)
        checkClassOnce(object as Ingress, errors)
      }),
    validateUpdate: (object) => collect((errors) => checkIngress(object as Ingress, errors)),
    prepareForStatusUpdate: (object, old) => {
      object.spec = old.spec
    },
    validateStatusUpdate: (object) => collect((errors) => checkIngressStatus(object as Ingress, errors)),
    warnings,
  }),
}

function parameters(ingressClass: IngressClass): string {
  const reference = ingressClass.spec?.parameters
  if (!reference) return '<none>'
  return `${reference.kind}${reference.apiGroup ? `.${reference.apiGroup}` : ''}/${reference.name}`
}

const MAX_CONTROLLER_LENGTH = 250

function checkClass(ingressClass: IngressClass, errors: Errors): void {
  const { controller = '', parameters } = ingressClass.spec ?? {}
  const path = 'spec.controller'
  if (controller.length > MAX_CONTROLLER_LENGTH) errors.push(tooLong(path, MAX_CONTROLLER_LENGTH))
  checkDomainPath(controller, path, errors)
  if (!parameters) return
  const { scope, namespace } = parameters
  checkReference(parameters, 'spec.parameters', errors)
  if (scope !== 'Cluster' && scope !== 'Namespace') {
    const at = 'spec.parameters.scope'
    errors.push(scope === undefined ? required(at) : notSupported(at, scope, ['Cluster', 'Namespace']))
  } else if (scope === 'Cluster') {
    if (namespace === undefined) return
    errors.push(forbidden('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'"))
  } else if (namespace === undefined) {
    errors.push(required('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'"))
  } else obey(namespace, dnsLabel, 'spec.parameters.namespace', errors)
}

/** `example.com/path`. */
function checkDomainPath(value: string, path: string, errors: Errors): void {
  if (value === '') return void errors.push(required(path))
  const slash = value.indexOf('/')
  if (slash <= 0 || slash === value.length - 1) {
    errors.push(invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    return
  }
  for (const complaint of dnsSubdomain(value.slice(0, slash))) errors.push(invalid(path, value.slice(0, slash), complaint))
  for (const complaint of httpPath(value.slice(slash + 1))) errors.push(invalid(path, value.slice(slash + 1), complaint))
}

/** New objects only: whoever still has the annotation knows by now. */
function warnings({ metadata, spec }: KubeObject, old?: KubeObject): string[] {
  const unnamed = metadata.annotations?.[CLASS_ANNOTATION] !== undefined && spec?.ingressClassName === undefined
  return !old && unnamed ? [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`] : []
}

export const ingressClass: DefinitionInput = {
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  columns: [
    column('Controller', (object) => object.spec?.controller ?? ''),
    column('Parameters', (object) => parameters(object as IngressClass)),
    ageColumn,
  ],
  strategy: {
    defaults: (object) => {
      object.spec ??= {}
      if (object.spec.parameters) object.spec.parameters.scope ??= 'Cluster'
    },
    validate: (object) => collect((errors) => checkClass(object as IngressClass, errors)),
    validateUpdate: (object: KubeObject, old: KubeObject) =>
      collect((errors) => {
        checkClass(object as IngressClass, errors)
        checkImmutable(object.spec?.controller, old.spec?.controller, 'spec.controller', errors)
      }),
    countsGeneration: true,
  },
}
