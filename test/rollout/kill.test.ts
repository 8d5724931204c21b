/**
 * Kills the driver after every single request of a roll, a pet switch, a rollback and an abort, and finishes or undoes each with a
 * client that knows nothing. All the while a watch of the pods counts those that are available.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../src/cluster.ts'
import { killEverywhere, type Scenario } from './killing.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster({ runtime: 'simulated', nodes: 8 })
}, 120_000)
afterAll(() => cluster.stop(), 60_000)

const before = {
  nothing: [],
  rolled: [{ command: 'roll' }],
  petRolled: [{ command: 'roll', pet: true }],
  canary: [{ command: 'roll', canary: 1 }],
  petCanary: [{ command: 'roll', canary: 1, pet: true }],
} as const

const scenarios: [string, Scenario][] = [
  ['a roll, finished', { before: before.nothing, doomed: { command: 'roll' }, after: 'finish', image: 'web:v2' }],
  ['a roll, undone', { before: before.nothing, doomed: { command: 'roll' }, after: 'undo', image: 'web:v1' }],
  [
    'a pet switch, finished',
    { before: before.nothing, doomed: { command: 'roll', pet: true }, after: 'finish', image: 'web:v2' },
  ],
  ['a pet switch, undone', { before: before.nothing, doomed: { command: 'roll', pet: true }, after: 'undo', image: 'web:v1' }],
  ['a rollback, finished', { before: before.rolled, doomed: { command: 'rollback' }, after: 'finish', image: 'web:v1' }],
  [
    'a rollback of a pet, finished',
    { before: before.petRolled, doomed: { command: 'rollback' }, after: 'finish', image: 'web:v1' },
  ],
  [
    'a rollback of a pet, undone',
    { before: before.petRolled, doomed: { command: 'rollback', pet: true }, after: 'undo', image: 'web:v2' },
  ],
  ['an abort, finished', { before: before.canary, doomed: { command: 'abort' }, after: 'finish', image: 'web:v1' }],
  ['an abort of a pet, finished', { before: before.petCanary, doomed: { command: 'abort' }, after: 'finish', image: 'web:v1' }],
]

for (const kind of ['ReplicationController', 'ReplicaSet'] as const)
  test.each(scenarios)(`${kind}: %s`, { timeout: 120_000 }, async (_name, scenario) => {
    const { runs, problems } = await killEverywhere(cluster, kind, scenario)
    expect(problems).toEqual([])
    // As many as there are requests, of which the shortest command has more than these.
    expect(runs).toBeGreaterThan(10)
  })
