/** Rules for the status of Jobs: each in Kubernetes' words. */
import { expect, test } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { podSpec, updateStatus } from './write.ts'

const job = (more: object = {}) => ({ spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } }, ...more } })
const is = (...types: string[]) => types.map((type) => ({ type, status: 'True' }))
const [early, late] = ['2020-01-01T00:00:00Z', '2020-01-01T00:01:00Z']
const done = { startTime: early, completionTime: late, conditions: is('SuccessCriteriaMet', 'Complete') }

/** The causes of writing `status` on a job of that spec. */
function causes(status: object, spec: object = {}): string[] {
  return updateStatus('jobs', job(spec), (object: KubeObject) => {
    object.status = status
  }).causes
}

test.each<[string, object, object]>([
  ['running', { startTime: early, active: 2, ready: 1 }, {}],
  ['complete', done, {}],
  ['failed', { startTime: early, conditions: is('FailureTarget', 'Failed') }, {}],
  ['indexed', { completedIndexes: '0,2-3' }, { completionMode: 'Indexed', completions: 4 }],
])('%s is fine', (_, status, spec) => expect(causes(status, spec)).toEqual([]))

test.each<[string, object, string]>([
  ['negative', { active: -1 }, 'Invalid | status.active | Invalid value: -1: must be greater than or equal to 0'],
  [
    'complete without the criteria',
    { ...done, conditions: is('Complete') },
    'Invalid | status.conditions | Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
  ],
  [
    'failed without a target',
    { startTime: early, conditions: is('Failed') },
    'Invalid | status.conditions | Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
  ],
  [
    'complete at no time',
    { startTime: early, conditions: done.conditions },
    'Required | status.completionTime | Required value: completionTime is required for Complete jobs',
  ],
  [
    'never begun',
    { completionTime: late, conditions: done.conditions },
    'Required | status.startTime | Required value: startTime is required for finished job',
  ],
  [
    'ended before it began',
    { ...done, startTime: late, completionTime: early },
    `Invalid | status.completionTime | Invalid value: "${early}": must be equal to or after \`startTime\``,
  ],
  [
    'a time without an end',
    { completionTime: late },
    `Invalid | status.completionTime | Invalid value: "${late}": cannot set completionTime when there is no Complete=True condition`,
  ],
  ['still active', { ...done, active: 1 }, 'Invalid | status.active | Invalid value: 1: active>0 is invalid for finished job'],
  ['too many ready', { ready: 1 }, 'Invalid | status.ready | Invalid value: 1: cannot set more ready pods than active'],
  [
    'indexes without index',
    { completedIndexes: '0' },
    'Invalid | status.completedIndexes | Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
  ],
])('%s', (_, status, cause) => expect(causes(status)).toEqual([cause]))
