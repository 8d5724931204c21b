/** NetworkPolicy: who may talk to which pods. Accepted and shown; enforcing it is the network's. */
import { cidr, parseCidr, strictlyWithin } from '../addresses.ts'
import { type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { portNumber } from '../names.ts'
import type { KubeObject } from '../object.ts'
import { formatLabelSelector } from '../selectors.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../types.ts'
import { warnOfRange } from './address-warnings.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { checkPort, checkSelector, collect, obey, requireName } from './rules.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const TYPES = ['Ingress', 'Egress']

function setDefaults(policy: NetworkPolicy): void {
  policy.spec ??= { podSelector: {} }
  const { spec } = policy
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
  }
  if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
}

function check(policy: NetworkPolicy, errors: Errors): void {
  const { spec } = policy
  checkSelector(spec?.podSelector, 'spec.podSelector', errors)
  spec?.ingress?.forEach((rule, index) => {
    checkRule(rule.ports, rule.from, 'from', `spec.ingress[${index}]`, errors)
  })
  spec?.egress?.forEach((rule, index) => {
    checkRule(rule.ports, rule.to, 'to', `spec.egress[${index}]`, errors)
  })
  const types = spec?.policyTypes ?? []
  if (types.length > TYPES.length) {
    errors.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'))
    return
  }
  types.forEach((type, index) => {
    if (!TYPES.includes(type)) errors.push(notSupported(`spec.policyTypes[${index}]`, type, TYPES))
  })
}

function checkRule(
  ports: NetworkPolicyPort[] | undefined,
  peers: NetworkPolicyPeer[] | undefined,
  direction: string,
  path: string,
  errors: Errors,
): void {
  ports?.forEach((port, index) => {
    checkRulePort(port, `${path}.ports[${index}]`, errors)
  })
  peers?.forEach((peer, index) => {
    checkPeer(peer, `${path}.${direction}[${index}]`, errors)
  })
}

function checkRulePort({ protocol, port, endPort }: NetworkPolicyPort, path: string, errors: Errors): void {
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS))
  if (port !== undefined) checkPort(port, `${path}.port`, errors)
  if (endPort === undefined) return
  if (port === undefined) errors.push(invalid(`${path}.endPort`, endPort, 'may not be specified when `port` is not specified'))
  else if (typeof port === 'string')
    errors.push(invalid(`${path}.endPort`, endPort, 'may not be specified when `port` is non-numeric'))
  else {
    if (endPort < port) errors.push(invalid(`${path}.endPort`, endPort, 'must be greater than or equal to `port`'))
    for (const complaint of portNumber(endPort)) errors.push(invalid(`${path}.endPort`, endPort, complaint))
  }
}

function checkPeer(peer: NetworkPolicyPeer, path: string, errors: Errors): void {
  checkSelector(peer.podSelector, `${path}.podSelector`, errors)
  checkSelector(peer.namespaceSelector, `${path}.namespaceSelector`, errors)
  if (peer.ipBlock) checkBlock(peer.ipBlock, `${path}.ipBlock`, errors)
  if (!peer.podSelector && !peer.namespaceSelector && !peer.ipBlock) errors.push(required(path, 'must specify a peer'))
  else if (peer.ipBlock && (peer.podSelector || peer.namespaceSelector)) {
    errors.push(forbidden(path, 'may not specify both ipBlock and another peer'))
  }
}

function checkBlock(block: IPBlock, path: string, errors: Errors): void {
  requireName(block.cidr, cidr, `${path}.cidr`, errors)
  const outer = parseCidr(block.cidr ?? '')
  if (!outer) return
  block.except?.forEach((except, index) => {
    const at = `${path}.except[${index}]`
    obey(except, cidr, at, errors)
    const inner = parseCidr(except)
    if (inner && !strictlyWithin(inner, outer)) errors.push(invalid(at, except, 'must be a strict subset of `cidr`'))
  })
}

const policy = (object: KubeObject) => object as NetworkPolicy
const validate = (object: KubeObject) => collect((errors) => check(policy(object), errors))

function warningsOf({ spec }: NetworkPolicy): string[] {
  const warnings: string[] = []
  const warn = (peers: NetworkPolicyPeer[] | undefined, path: string) => {
    peers?.forEach(({ ipBlock }, index) => {
      if (!ipBlock) return
      warnOfRange(ipBlock.cidr, () => `${path}[${index}].ipBlock.cidr`, warnings)
      ipBlock.except?.forEach((except, i) => {
        warnOfRange(except, () => `${path}[${index}].ipBlock.except[${i}]`, warnings)
      })
    })
  }
  spec?.ingress?.forEach(({ from }, index) => {
    warn(from, `spec.ingress[${index}].from`)
  })
  spec?.egress?.forEach(({ to }, index) => {
    warn(to, `spec.egress[${index}].to`)
  })
  return warnings
}

export const networkPolicy: DefinitionInput = {
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  columns: [column('Pod-Selector', (object) => formatLabelSelector(object.spec?.podSelector)), ageColumn],
  strategy: {
    defaults: (object) => setDefaults(policy(object)),
    validate,
    validateUpdate: validate,
    countsGeneration: true,
    warnings: (object) => warningsOf(policy(object)),
  },
}
