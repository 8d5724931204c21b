/** What a policy's status says of its expressions, with the real server's OpenAPI. */
import { expect, test } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { validatingAdmissionPolicies as policies } from '../../../src/client/resources.ts'
import { policyStatusController } from '../../../src/controllers/admission/policy-status.ts'
import { startTestCluster, type TestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const rule = (group: string, version: string, ...resources: string[]) => ({
  ...{ operations: ['CREATE'], apiGroups: [group], apiVersions: [version], resources },
})

async function statusOf({ client }: TestCluster, name: string, spec: object) {
  const metadata = { name }
  await client.create(policies, { metadata, spec } as never)
  let status: KubeObject['status']
  await until(async () => {
    status = (await client.get(policies, name)).status
    expect(status?.observedGeneration).toBe(1)
  })
  return status
}

test('a policy is told which of its expressions cannot be right, for each kind that it is for', async () => {
  await using cluster = await startTestCluster({ nodeCount: 0, reconcilers: [policyStatusController()] })
  const fine = await statusOf(cluster, 'fine', {
    matchConstraints: { resourceRules: [rule('apps', 'v1', 'deployments')] },
    validations: [
      { expression: 'object.spec.replicas <= 5 && object.metadata.labels.size() > 0' },
      { expression: "object.spec.template.spec.containers.all(c, c.image.startsWith('registry/') && !has(c.resources.limits))" },
      { expression: 'int(object.spec.strategy.rollingUpdate.maxSurge) > 0 || oldObject == null' },
    ],
  })
  expect(fine).toEqual({ observedGeneration: 1, typeChecking: {} })
  const odd = await statusOf(cluster, 'odd', {
    matchConstraints: { resourceRules: [rule('apps', 'v1', 'replicasets', 'deployments', 'deployments/scale', '*')] },
    variables: [{ name: 'image', expression: 'object.spec.template.spec.containers[0].image' }],
    validations: [
      { expression: 'object.foo > 1', messageExpression: "'is ' + object.spec.replicas" },
      { expression: 'variables.image > 1' },
      { expression: 'object.spec.paused', message: 'only deployments have it' },
    ],
  })
  const warning = (kind: string, why: string) => `apps/v1, Kind=${kind}: ${why}\n`
  const field = "ERROR: <input>:1:7: undefined field 'foo'\n | object.foo > 1\n | ......^"
  const plus =
    "ERROR: <input>:1:7: found no matching overload for '_+_' applied to '(string, int)'\n | 'is ' + object.spec.replicas\n | ......^"
  const more =
    "ERROR: <input>:1:17: found no matching overload for '_>_' applied to '(string, int)'\n | variables.image > 1\n | ................^"
  const paused = "ERROR: <input>:1:12: undefined field 'paused'\n | object.spec.paused\n | ...........^"
  const both = (why: string) => `${warning('Deployment', why)}\n${warning('ReplicaSet', why)}`
  expect(odd).toEqual({
    observedGeneration: 1,
    typeChecking: {
      expressionWarnings: [
        { fieldRef: 'spec.validations[0].expression', warning: both(field) },
        { fieldRef: 'spec.validations[0].messageExpression', warning: both(plus) },
        { fieldRef: 'spec.validations[1].expression', warning: both(more) },
        { fieldRef: 'spec.validations[2].expression', warning: warning('ReplicaSet', paused) },
      ],
    },
  })
  const { metadata } = await cluster.client.get(policies, 'odd')
  expect(metadata.managedFields?.map(({ manager, subresource }) => [manager, subresource])).toContainEqual([
    'validatingadmissionpolicy-status-controller',
    'status',
  ])
})

test('parameters and custom resources have types, too; what nothing describes is left alone', async () => {
  await using cluster = await startTestCluster({ nodeCount: 0, reconcilers: [policyStatusController()] })
  const definitions = {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    plural: 'customresourcedefinitions',
    kind: 'X',
    namespaced: false,
  }
  const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties: { max: { type: 'integer' } } } } }
  await cluster.client.create(definitions, {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'limits.example.com' } },
    spec: {
      ...{ group: 'example.com', scope: 'Cluster', names: { plural: 'limits', kind: 'Limit' } },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  })
  await until(async () =>
    expect(await cluster.client.list({ ...definitions, group: 'example.com', plural: 'limits' })).toBeDefined(),
  )
  const status = await statusOf(cluster, 'p', {
    paramKind: { apiVersion: 'example.com/v1', kind: 'Limit' },
    matchConstraints: { resourceRules: [rule('', 'v1', 'configmaps'), rule('none.example.com', 'v1', 'nothings')] },
    validations: [{ expression: 'size(object.data) <= params.spec.max' }, { expression: 'params.spec.min > 1' }],
  })
  expect(status).toEqual({
    observedGeneration: 1,
    typeChecking: {
      expressionWarnings: [
        {
          fieldRef: 'spec.validations[1].expression',
          warning: "/v1, Kind=ConfigMap: ERROR: <input>:1:12: undefined field 'min'\n | params.spec.min > 1\n | ...........^\n",
        },
      ],
    },
  })
})
