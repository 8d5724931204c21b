/** Rules of admissionregistration.k8s.io, each in Kubernetes' words. */
import { expect, test } from 'vitest'
import { create, update, updateStatus } from './write.ts'

const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
const webhook = {
  name: 'a.b.example',
  clientConfig: { url: 'https://x.example/' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  rules: [rule],
}
const service = (more: object) => ({ clientConfig: { service: { name: 's', namespace: 'n', ...more } } })
const at = (url: string) => ({ clientConfig: { url } })
const resources = (...names: string[]) => ({ rules: [{ ...rule, resources: names }] })
const FORM = 'desired format: https://host[/path]'

test.each<[string, object[], string[]]>([
  ['two of one name', [webhook, webhook], ['Duplicate | webhooks[1].name | Duplicate value: "a.b.example"']],
  [
    'unknown versions',
    [{ ...webhook, admissionReviewVersions: ['v2', 'v2', '1'] }],
    [
      expect.stringMatching(
        /^Invalid \| webhooks\[0\]\.admissionReviewVersions\[2\] \| Invalid value: "1": a DNS-1035 label/,
      ) as unknown as string,
      'Invalid | webhooks[0].admissionReviewVersions | Invalid value: "v2,v2,1": must include at least one of v1, v1beta1',
      'Invalid | webhooks[0].admissionReviewVersions[1] | Invalid value: "v2": duplicate version',
    ],
  ],
  [
    'an unsafe URL',
    [{ ...webhook, ...at('http://u:p@x.example/?a=b#c') }],
    [
      'Invalid | webhooks[0].clientConfig.url | Invalid value: "a=b": query parameters are not permitted in the URL',
      'Invalid | webhooks[0].clientConfig.url | Invalid value: "c": fragments are not permitted in the URL',
      `Invalid | webhooks[0].clientConfig.url | Invalid value: "http": 'https' is the only allowed URL scheme; ${FORM}`,
      'Invalid | webhooks[0].clientConfig.url | Invalid value: "u:p": user information is not permitted in the URL',
    ],
  ],
  [
    'no URL at all',
    [{ ...webhook, ...at('x.example') }],
    [
      `Invalid | webhooks[0].clientConfig.url | Invalid value: "": 'https' is the only allowed URL scheme; ${FORM}`,
      `Invalid | webhooks[0].clientConfig.url | Invalid value: "": host must be specified; ${FORM}`,
    ],
  ],
  [
    'a bad port in the URL',
    [{ ...webhook, ...at('https://x:y/') }],
    [
      `Required | webhooks[0].clientConfig.url | Required value: url must be a valid URL: parse "https://x:y/": invalid port ":y" after host; ${FORM}`,
    ],
  ],
  [
    'a nameless service',
    [{ ...webhook, ...service({ name: '', path: 'a//b' }) }],
    [
      'Invalid | webhooks[0].clientConfig.service.path | Invalid value: "a//b": must start with a \'/\'',
      'Invalid | webhooks[0].clientConfig.service.path | Invalid value: "a//b": segment[0] may not be empty',
      'Invalid | webhooks[0].clientConfig.service.path | Invalid value: "a//b": segment[1] may not be empty',
      'Required | webhooks[0].clientConfig.service.name | Required value',
    ],
  ],
  [
    'resources that are covered',
    [{ ...webhook, ...resources('pods/*', 'pods/log', '*/scale', 'x/scale', '*', 'pods') }],
    [
      'Invalid | webhooks[0].rules[0].resources | Invalid value: ["pods/*","pods/log","*/scale","x/scale","*","pods"]: if \'*\' is present, must not specify other resources without subresources',
      'Invalid | webhooks[0].rules[0].resources[1] | Invalid value: "pods/log": if \'pods/*\' is present, must not specify pods/log',
      'Invalid | webhooks[0].rules[0].resources[3] | Invalid value: "x/scale": if \'*/scale\' is present, must not specify x/scale',
    ],
  ],
  [
    'conditions of one name',
    [{ ...webhook, matchConditions: [1, 2].map(() => ({ name: 'c', expression: 'true' })) }],
    ['Duplicate | webhooks[0].matchConditions[1].name | Duplicate value: "c"'],
  ],
])('webhooks with %s', (_, webhooks, causes) => {
  for (const plural of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations']) {
    expect(create(plural, { webhooks }).causes).toEqual([...causes].sort())
  }
})

const policy = (spec: object) => ({ spec: { matchConstraints: { resourceRules: [rule] }, ...spec } })
const validations = [{ expression: 'true' }]

test.each<[string, string, object, string[]]>([
  [
    'of a kind in a group',
    'validatingadmissionpolicies',
    { validations, paramKind: { apiVersion: 'g.example/v1', kind: 'K' } },
    [],
  ],
  [
    'of a kind that cannot be',
    'validatingadmissionpolicies',
    { validations, paramKind: { apiVersion: 'a/b/c', kind: 'a.b' } },
    [
      'Invalid | spec.paramKind.apiVersion | Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      expect.stringContaining('"a.b": may have mixed case, but should otherwise match: a DNS-1035 label') as unknown as string,
    ],
  ],
  [
    'whose texts say nothing',
    'validatingadmissionpolicies',
    {
      variables: [{ name: 'in', expression: ' ' }],
      validations: [{ expression: 'true', message: 'a\nb', messageExpression: ' ', reason: 'Unauthorized' }],
    },
    [
      'Invalid | spec.validations[0].message | Invalid value: "a\\nb": message must not contain line breaks',
      'Invalid | spec.validations[0].messageExpression | Invalid value: " ": must be non-empty if specified',
      'Invalid | spec.variables[0].name | Invalid value: "in": name is not a valid CEL identifier',
      'NotSupported | spec.validations[0].reason | Unsupported value: "Unauthorized": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      'Required | spec.variables[0].expression | Required value: expression is not specified',
    ],
  ],
  [
    'with annotations twice',
    'validatingadmissionpolicies',
    { auditAnnotations: [1, 2].map(() => ({ key: 'k', valueExpression: "'v'" })) },
    ['Duplicate | spec.auditAnnotations[1].key | Duplicate value: "k"'],
  ],
  [
    'for names that no object has',
    'validatingadmissionpolicies',
    { validations, matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a/b', 'c', 'c'] }] } },
    [
      'Duplicate | spec.matchConstraints.resourceRules[0].resourceNames[2] | Duplicate value: "c"',
      'Invalid | spec.matchConstraints.resourceRules[0].resourceNames[0] | Invalid value: "a/b": may not contain \'/\'',
    ],
  ],
  [
    'that change what is deleted',
    'mutatingadmissionpolicies',
    {
      matchConstraints: { resourceRules: [{ ...rule, operations: ['DELETE'] }] },
      mutations: [{ patchType: 'JSONPatch', applyConfiguration: { expression: 'Object{}' } }, { patchType: 'Merge' }],
    },
    [
      'Invalid | spec.mutations[0].applyConfiguration | Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      'NotSupported | spec.matchConstraints.resourceRules.operations | Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
      'NotSupported | spec.mutations[1].patchType | Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch"',
      'Required | spec.mutations[0].jsonPatch | Required value: must be specified when patchType is JSONPatch',
      'Required | spec.reinvocationPolicy | Required value',
    ],
  ],
])('policies %s', (_, plural, spec, causes) => expect(create(plural, policy(spec)).causes).toEqual([...causes].sort()))

test('conditions that a policy had stay', () => {
  const many = Array.from({ length: 65 }, () => ({ name: 'c', expression: 'true' }))
  const before = policy({ validations, matchConditions: many })
  expect(create('validatingadmissionpolicies', before).causes[0]).toMatch(/Too many: 65: must have at most 64 items|Duplicate/)
  expect(update('validatingadmissionpolicies', before, (o) => Object.assign(o.spec, { failurePolicy: 'Ignore' })).causes).toEqual(
    [],
  )
})

test('bindings', () => {
  const spec = { policyName: 'P', paramRef: { name: 'x', selector: {} }, validationActions: ['Deny', 'Deny'] }
  expect(create('validatingadmissionpolicybindings', { spec }).causes).toEqual([
    'Duplicate | spec.validationActions[1] | Duplicate value: "Deny"',
    'Forbidden | spec.paramRef.name | Forbidden: name and selector are mutually exclusive',
    'Forbidden | spec.paramRef.selector | Forbidden: name and selector are mutually exclusive',
    expect.stringMatching(/^Invalid \| spec.policyName \| Invalid value: "P": a lowercase RFC 1123 subdomain/),
    'Required | spec.paramRef.parameterNotFoundAction | Required value',
  ])
})

test('the status of a policy names the expressions it warns of', () => {
  const typeChecking = { expressionWarnings: [{ fieldRef: '', warning: '' }] }
  const { causes } = updateStatus('validatingadmissionpolicies', policy({ validations }), (o) => {
    o.status = { typeChecking, conditions: [{ type: 'Ready', status: 'True', observedGeneration: -1 }] }
  })
  expect(causes).toEqual([
    'Invalid | status.conditions[0].observedGeneration | Invalid value: -1: must be greater than or equal to zero',
    'Required | status.conditions[0].lastTransitionTime | Required value',
    'Required | status.conditions[0].reason | Required value',
    'Required | status.typeChecking.expressionWarnings[0].fieldRef | Required value',
    'Required | status.typeChecking.expressionWarnings[0].warning | Required value',
  ])
})
