/** certificates.k8s.io/v1: CertificateSigningRequest. Who asks is stamped by the server. */
import type { Strategy, WriteContext } from '../definition.ts'
import { equal } from '../equal.ts'
import { duplicate, type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { humanDuration } from '../human-duration.ts'
import { dnsSubdomain } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'
import { collect } from './rules.ts'

const csr = (object: KubeObject) => object as unknown as CertificateSigningRequest
const MIN_SECONDS = 600
/** The decisions, which the `approval` subresource takes and nothing else. */
const DECISIONS = ['Approved', 'Denied']
const USAGES = [
  ...['any', 'cert sign', 'client auth', 'code signing', 'content commitment', 'crl sign', 'data encipherment', 'decipher only'],
  ...[
    'digital signature',
    'email protection',
    'encipher only',
    'ipsec end system',
    'ipsec tunnel',
    'ipsec user',
    'key agreement',
  ],
  ...['key encipherment', 'microsoft sgc', 'netscape sgc', 'ocsp signing', 's/mime', 'server auth', 'signing', 'timestamping'],
]

function condition(request: CertificateSigningRequest): string {
  const has = (type: string) => request.status?.conditions?.some((c) => c.type === type)
  const state = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  const failed = has('Failed') ? ',Failed' : ''
  return state + failed + (request.status?.certificate ? ',Issued' : '')
}

const pem = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString('latin1')

function check(request: CertificateSigningRequest, errors: Errors): void {
  const { spec } = request
  if (!pem(spec?.request).includes('-----BEGIN CERTIFICATE REQUEST-----')) {
    errors.push(invalid('spec.request', spec?.request ?? '', 'PEM block type must be CERTIFICATE REQUEST'))
  }
  checkUsages(spec?.usages, errors)
  checkSigner(spec?.signerName, errors)
  if (spec?.expirationSeconds !== undefined && spec.expirationSeconds < MIN_SECONDS) {
    const detail = `may not specify a duration less than ${MIN_SECONDS} seconds (10 minutes)`
    errors.push(invalid('spec.expirationSeconds', spec.expirationSeconds, detail))
  }
}

function checkUsages(usages: string[] | undefined, errors: Errors): void {
  if (!usages?.length) errors.push(required('spec.usages'))
  const seen = new Set<string>()
  usages?.forEach((usage, index) => {
    if (!USAGES.includes(usage)) errors.push(notSupported(`spec.usages[${index}]`, usage, USAGES))
    if (seen.has(usage)) errors.push(duplicate(`spec.usages[${index}]`, usage))
    seen.add(usage)
  })
}

function checkSigner(name: string | undefined, errors: Errors): void {
  const path = 'spec.signerName'
  if (!name) return void errors.push(required(path))
  const [domain = '', ...rest] = name.split('/')
  if (rest.length === 0 || rest.join('/') === '') {
    errors.push(invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
    return
  }
  for (const complaint of dnsSubdomain(domain))
    errors.push(invalid(path, domain, `validating label ${JSON.stringify(domain)}: ${complaint}`))
  if (!domain.includes('.')) errors.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'))
}

/** Approval and denial are there to stay, and exclude each other. */
function checkConditions(request: CertificateSigningRequest, old: CertificateSigningRequest, errors: Errors): void {
  const path = 'status.conditions'
  const conditions = request.status?.conditions ?? []
  const types = new Set(conditions.map((c) => c.type))
  const removed = new Set((old.status?.conditions ?? []).map((c) => c.type).filter((type) => !types.has(type)))
  for (const type of removed) errors.push(forbidden(path, `updates may not remove a condition of type ${JSON.stringify(type)}`))
  if (removed.size > 0) return
  conditions.forEach((condition, index) => {
    if (!condition.type) errors.push(required(`${path}[${index}].type`))
    if ([...DECISIONS, 'Failed'].includes(condition.type) && condition.status !== 'True') {
      errors.push(notSupported(`${path}[${index}].status`, condition.status ?? '', ['True']))
    }
    if (condition.type === 'Denied' && types.has('Approved')) {
      errors.push(invalid(`${path}[${index}].type`, condition.type, 'Approved and Denied conditions are mutually exclusive'))
    }
  })
}

function checkCertificate(request: CertificateSigningRequest, old: CertificateSigningRequest, errors: Errors): void {
  const certificate = request.status?.certificate
  if (!certificate || certificate === old.status?.certificate) return
  if (old.status?.certificate) errors.push(forbidden('status.certificate', 'updates may not change certificate content once set'))
  if (!pem(certificate).includes('-----BEGIN CERTIFICATE-----')) {
    errors.push(invalid('status.certificate', '<certificate data>', 'must contain at least one CERTIFICATE PEM block'))
  }
}

/** Conditions say when they came and when they last changed. */
function stamp(request: CertificateSigningRequest, old: CertificateSigningRequest, { now }: WriteContext): void {
  for (const condition of request.status?.conditions ?? []) {
    const before = old.status?.conditions?.find((c) => c.type === condition.type)
    condition.lastUpdateTime ??= now
    condition.lastTransitionTime ??= before?.status === condition.status ? (before.lastTransitionTime ?? now) : now
  }
}

/** The spec is for ever, and so is the metadata for whoever decides or signs. */
function keepRequest(object: KubeObject, old: KubeObject): void {
  const { managedFields, resourceVersion } = object.metadata
  object.metadata = { ...old.metadata, managedFields, resourceVersion }
  object.spec = old.spec
}

const isDecision = (condition: CertificateSigningRequestCondition) => DECISIONS.includes(condition.type)

const approval: Pick<Strategy, 'prepareForUpdate' | 'validateUpdate'> = {
  prepareForUpdate: (object, old, context) => {
    keepRequest(object, old)
    object.status = { ...old.status, conditions: object.status?.conditions }
    stamp(csr(object), csr(old), context)
  },
  validateUpdate: (object, old) => collect((errors) => checkConditions(csr(object), csr(old), errors)),
}

const strategy: Strategy = {
  prepareForCreate: (object) => {
    object.status = {}
  },
  prepareForUpdate: (object, old) => {
    object.spec = old.spec
    object.status = old.status
  },
  prepareForStatusUpdate: (object, old, context) => {
    keepRequest(object, old)
    const { status } = csr(object)
    const kept = (csr(old).status?.conditions ?? []).filter(isDecision)
    const others = (status?.conditions ?? []).filter((condition) => !isDecision(condition))
    if (status && kept.length + others.length > 0) status.conditions = [...kept, ...others]
    stamp(csr(object), csr(old), context)
  },
  validate: (object) => collect((errors) => check(csr(object), errors)),
  validateUpdate: (object, old) =>
    collect((errors) => {
      if (!equal(object.spec, old.spec)) errors.push(invalid('spec', object.spec, 'field is immutable'))
    }),
  validateStatusUpdate: (object, old) =>
    collect((errors) => {
      checkConditions(csr(object), csr(old), errors)
      checkCertificate(csr(object), csr(old), errors)
    }),
  countsGeneration: false,
  nameRule: 'path',
}

const certificateSigningRequest: DefinitionInput = {
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  namespaced: false,
  status: true,
  subresources: [
    {
      name: 'approval',
      kind: { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' },
      verbs: ['get', 'patch', 'update'],
      strategy: approval,
    },
  ],
  columns: [
    ageColumn,
    column('SignerName', (object) => object.spec?.signerName || '<none>'),
    column('Requestor', (object) => object.spec?.username ?? ''),
    column('RequestedDuration', (object) =>
      object.spec?.expirationSeconds ? humanDuration(object.spec.expirationSeconds * 1000) : '<none>',
    ),
    column('Condition', (object) => condition(csr(object))),
  ],
  selectableFields: { 'spec.signerName': (object) => object.spec?.signerName ?? '' },
  strategy,
}

export const certificatesDefinitions = defineGroup({ group: 'certificates.k8s.io', version: 'v1', package: 'certificates/v1' }, [
  certificateSigningRequest,
])
