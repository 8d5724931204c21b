/** certificates.k8s.io/v1: CertificateSigningRequest. Who asks is stamped by the server. */
import { X509Certificate } from 'node:crypto'
import type { Strategy, WriteContext } from '../definition.ts'
import { equal } from '../equal.ts'
import { duplicate, type Errors, forbidden, invalid, notSupported, required, tooLong } from '../field-errors.ts'
import { humanDuration } from '../human-duration.ts'
import { type Complaints, dnsLabel, dnsSubdomain } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'
import { collect } from './rules.ts'

const csr = (object: KubeObject) => object as unknown as CertificateSigningRequest
const MIN_SECONDS = 600
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown'
const MAX_DOMAIN = 253
const MAX_SIGNER = 571
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
  if (name === LEGACY_SIGNER) {
    return void errors.push(invalid(path, name, 'the legacy signerName is not allowed via this API version'))
  }
  const [domain = '', signer = '', ...rest] = name.split('/')
  if (!name.includes('/') || rest.length > 0) {
    errors.push(invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
    return
  }
  if (domain.length > MAX_DOMAIN) errors.push(tooLong(path, MAX_DOMAIN))
  checkParts(domain, dnsLabel, path, errors)
  if (!domain.includes('.')) errors.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'))
  checkParts(signer, dnsSubdomain, path, errors)
  if (name.length > MAX_SIGNER) errors.push(tooLong(path, MAX_SIGNER))
}

/** The first part that is wrong is enough. */
function checkParts(text: string, rule: (value: string) => Complaints, path: string, errors: Errors): void {
  const wrong = text.split('.').find((part) => rule(part).length > 0)
  if (wrong === undefined) return
  for (const complaint of rule(wrong)) {
    errors.push(invalid(path, text, `validating label ${JSON.stringify(wrong)}: ${complaint}`))
  }
}

/** Approval and denial are there to stay, and exclude each other. */
function checkConditions(request: CertificateSigningRequest, old: CertificateSigningRequest, errors: Errors): void {
  const path = 'status.conditions'
  const conditions = request.status?.conditions ?? []
  const removed = [...DECISIONS, 'Failed'].filter((type) => count(old, type) > count(request, type))
  for (const type of removed) errors.push(forbidden(path, `updates may not remove a condition of type ${JSON.stringify(type)}`))
  const seen = new Set<string>()
  conditions.forEach((condition, index) => {
    if (!condition.type) errors.push(required(`${path}[${index}].type`))
    const states = [...DECISIONS, 'Failed'].includes(condition.type) ? ['True'] : ['False', 'True', 'Unknown']
    if (!condition.status) errors.push(required(`${path}[${index}].status`))
    else if (!states.includes(condition.status)) {
      errors.push(notSupported(`${path}[${index}].status`, condition.status, states))
    }
    if (seen.has(condition.type) && !repeats(old)) errors.push(duplicate(`${path}[${index}].type`, condition.type))
    seen.add(condition.type)
    const other = condition.type === 'Denied' ? 'Approved' : condition.type === 'Approved' ? 'Denied' : undefined
    if (other && seen.has(other)) {
      errors.push(invalid(path, condition.type, 'Approved and Denied conditions are mutually exclusive'))
    }
  })
}

function count({ status }: CertificateSigningRequest, type: string): number {
  return (status?.conditions ?? []).filter((condition) => condition.type === type).length
}

/** What said a thing twice before may go on so. */
function repeats({ status }: CertificateSigningRequest): boolean {
  const types = (status?.conditions ?? []).map(({ type }) => type)
  return new Set(types).size < types.length
}

function checkCertificate(request: CertificateSigningRequest, old: CertificateSigningRequest, errors: Errors): void {
  const certificate = request.status?.certificate
  if (!certificate || certificate === old.status?.certificate) return
  if (old.status?.certificate) errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'))
  const fault = certificateFault(pem(certificate))
  if (fault) errors.push(invalid('status.certificate', '<certificate data>', fault))
}

const PEM_BLOCK = /^-----BEGIN ([^\n]*)-----\r?\n([^-]*)^-----END \1-----/gm

/** Certificates and nothing else, at least one. */
function certificateFault(text: string): string | undefined {
  let count = 0
  for (const [, type = '', body = ''] of text.matchAll(PEM_BLOCK)) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (body.includes(':')) return 'no PEM block headers are permitted'
    count += 1
    if (!isCertificate(body)) return 'x509: malformed certificate'
  }
  return count === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined
}

function isCertificate(base64: string): boolean {
  try {
    new X509Certificate(Buffer.from(base64, 'base64'))
    return true
  } catch {
    return false
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
