/** Says of every FlowSchema whether the PriorityLevelConfiguration that it names is there (its condition `Dangling`). */
import type { KubeObject } from '../../api/object.ts'
import { isConflict, isNotFound } from '../../api/status.ts'
import type { FlowSchema, FlowSchemaCondition } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import type { InProcessDoor } from '../contract.ts'
import type { Core } from '../core.ts'

const GROUP = 'flowcontrol.apiserver.k8s.io'
const MANAGER = 'api-priority-and-fairness-config-consumer-v1'

/** The condition as it should be, without its time. Pure. */
export function danglingOf(level: string, exists: boolean): Omit<FlowSchemaCondition, 'lastTransitionTime'> {
  const named = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
  return {
    type: 'Dangling',
    status: exists ? 'False' : 'True',
    reason: exists ? 'Found' : 'NotFound',
    message: `${named} ${exists ? 'and it exists' : 'but there is no such object'}`,
  }
}

/** Keeps the conditions true until the server closes. */
export function keepDangling(core: Core, door: InProcessDoor): void {
  const { reader, closing, log } = core
  const waiting = new Set<string>()
  let working = false
  const work = async () => {
    try {
      for (const name of waiting) {
        waiting.delete(name)
        if (!closing.aborted) await say(core, door, name)
      }
    } finally {
      working = false
    }
  }
  const look = (schema: KubeObject) => {
    if (isTold(core, schema as FlowSchema)) return
    waiting.add(schema.metadata.name ?? '')
    if (working) return
    working = true
    work().catch((error: unknown) => log.error('the status of a flow schema could not be written', { error }))
  }
  const lookAtAll = () => {
    for (const schema of reader.list(GROUP, 'flowschemas')) look(schema)
  }
  const stops = [
    reader.watch(GROUP, 'flowschemas', (schema, change) => {
      if (change !== 'deleted') look(schema)
    }),
    reader.watch(GROUP, 'prioritylevelconfigurations', (_level, change) => {
      if (change !== 'updated') lookAtAll()
    }),
  ]
  for (const stop of stops) closing.addEventListener('abort', stop, { once: true })
  lookAtAll()
}

function wanted({ reader }: Core, { spec }: FlowSchema): ReturnType<typeof danglingOf> {
  const level = spec?.priorityLevelConfiguration?.name ?? ''
  return danglingOf(level, reader.get(GROUP, 'prioritylevelconfigurations', '', level) !== undefined)
}

function isTold(core: Core, schema: FlowSchema): boolean {
  const { status, reason, message } = wanted(core, schema)
  const told = schema.status?.conditions?.find(({ type }) => type === 'Dangling')
  return told !== undefined && told.status === status && told.reason === reason && told.message === message
}

async function say(core: Core, door: InProcessDoor, name: string): Promise<void> {
  const schema = core.reader.get(GROUP, 'flowschemas', '', name) as FlowSchema | undefined
  if (!schema || isTold(core, schema)) return
  const conditions = [{ ...wanted(core, schema), lastTransitionTime: timestamp(core.clock) }]
  const body = { apiVersion: `${GROUP}/v1`, kind: 'FlowSchema', metadata: { name }, status: { conditions } }
  const query = { fieldManager: MANAGER, force: 'true' }
  const headers = { 'content-type': 'application/apply-patch+yaml' }
  try {
    await door.request({ method: 'PATCH', path: `/apis/${GROUP}/v1/flowschemas/${name}/status`, query, headers, body })
  } catch (error) {
    // Somebody wrote in between, and the event of that write brings it here again.
    if (!isConflict(error) && !isNotFound(error) && !core.closing.aborted) throw error
  }
}
