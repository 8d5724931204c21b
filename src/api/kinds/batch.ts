/** batch/v1: the list of its kinds. */
import { cronJob } from './cron-job.ts'
import { defineGroup } from './define.ts'
import { job } from './job.ts'

export const batchDefinitions = defineGroup({ group: 'batch', version: 'v1', package: 'batch/v1' }, [cronJob, job])
