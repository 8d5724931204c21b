/**
 * Serves what CustomResourceDefinitions define. A committed definition is in the registry before anybody else hears of the commit;
 * what its status has to say (accepted names, established, the end of its objects) is written through the API as by anyone.
 */
import { definitionsOf } from '../../api/custom/definitions.ts'
import { CRDS } from '../../api/custom/resource.ts'
import type { CheckRules } from '../../api/custom/strategy.ts'
import type { ResourceDefinition } from '../../api/definition.ts'
import type { KubeObject } from '../../api/object.ts'
import type { JsonSchema } from '../../api/schema/schema.ts'
import { isConflict, isNotFound } from '../../api/status.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionStatus } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import type { InProcessDoor } from '../contract.ts'
import type { Core } from '../core.ts'
import { createInProcessDoor } from '../in-process.ts'
import { NameQueue } from '../name-queue.ts'
import { CLEANUP_FINALIZER, type Cleanup, startCleanup } from './cleanup.ts'
import { conversionOf } from './conversion.ts'
import { decideNames, withCondition } from './names.ts'

/** What rules in CEL take is loaded with the first object of a kind that has any. */
async function compileRules(schema: JsonSchema): Promise<CheckRules> {
  const module = await import('../../api/custom/rules.ts')
  return module.compileRules(schema)
}

/** A definition as it is served. */
interface Served {
  readonly generation: number | undefined
  readonly definitions: readonly ResourceDefinition[]
  /** What of the status the definitions were made of. */
  readonly basis: string
}

const SERVER = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }
/** A write of a status that failed for another reason than a newer one is tried again after this long. */
const RETRY_MS = 1_000

export class CustomResources {
  readonly #core: Core
  readonly #door: InProcessDoor
  readonly #served = new Map<string, Served>()
  readonly #cleanups = new Map<string, Cleanup>()
  /** Names of definitions whose status is to be looked at. */
  readonly #queue: NameQueue

  constructor(core: Core) {
    this.#core = core
    this.#queue = new NameQueue({ core, look: (name) => this.#reconcile(name), failure: 'a definition could not be looked at' })
    this.#door = createInProcessDoor(core, SERVER)
  }

  /** Serves what is there. */
  begin(): void {
    for (const crd of this.#all()) {
      this.#serve(crd)
      this.#look(crd.metadata.name ?? '')
    }
  }

  /** Synchronously, with the commit: who is told of an established definition can use it. */
  changed(object: KubeObject, change: 'created' | 'updated' | 'deleted'): void {
    const crd = object as CustomResourceDefinition
    const name = crd.metadata.name ?? ''
    if (change === 'deleted') this.#forget(name)
    else this.#serve(crd)
    // Names that this one gives up may be what another one waits for.
    for (const other of this.#all()) if (other.spec.group === crd.spec.group) this.#look(other.metadata.name ?? '')
  }

  #all(): readonly CustomResourceDefinition[] {
    return this.#core.reader.list(CRDS.group, CRDS.plural) as readonly CustomResourceDefinition[]
  }

  #serve(crd: CustomResourceDefinition): void {
    const name = crd.metadata.name ?? ''
    const { conditions = [], acceptedNames } = crd.status ?? {}
    if (!conditions?.some(({ type, status }) => type === 'Established' && status === 'True')) return
    const terminating = conditions.some(({ type, status }) => type === 'Terminating' && status === 'True')
    const basis = JSON.stringify([acceptedNames, terminating])
    const before = this.#served.get(name)
    const { generation, resourceVersion } = crd.metadata
    if (before?.generation === generation && before?.basis === basis) return
    const since = Number(resourceVersion)
    const definitions = definitionsOf(crd, { since, compileRules, conversion: conversionOf(this.#core, crd) })
    const { registry } = this.#core
    const stays = new Set(definitions.map(({ version }) => version))
    const goes = before?.definitions.filter(({ version }) => !stays.has(version)) ?? []
    if (goes.length > 0) registry.remove(goes)
    registry.add(definitions)
    this.#served.set(name, { generation, definitions, basis })
  }

  #forget(name: string): void {
    const served = this.#served.get(name)
    this.#served.delete(name)
    this.#cleanups.get(name)?.stop()
    this.#cleanups.delete(name)
    if (served) this.#core.registry.remove(served.definitions)
  }

  #look(name: string): void {
    this.#queue.add(name)
  }

  async #reconcile(name: string): Promise<void> {
    const { reader, clock, closing, log } = this.#core
    const crd = reader.get(CRDS.group, CRDS.plural, '', name) as CustomResourceDefinition | undefined
    if (!crd) return
    try {
      if (crd.metadata.deletionTimestamp !== undefined) await this.#end(crd)
      else await this.#accept(crd)
    } catch (error) {
      // Somebody wrote in between: the event of that write brings the definition here again.
      if (isConflict(error) || isNotFound(error) || closing.aborted) return
      log.error('the status of a definition cannot be written', { name, error })
      clock.after(RETRY_MS, () => this.#look(name), { unref: true })
    }
  }

  async #accept(crd: CustomResourceDefinition): Promise<void> {
    const others = this.#all().filter((other) => other.spec.group === crd.spec.group && other.metadata.name !== crd.metadata.name)
    const status = decideNames(crd, others, timestamp(this.#core.clock))
    if (status) await this.#write(crd, status)
  }

  /** Removes the objects first, and lets the definition go when there are none left. */
  async #end(crd: CustomResourceDefinition): Promise<void> {
    const name = crd.metadata.name ?? ''
    if (!crd.metadata.finalizers?.includes(CLEANUP_FINALIZER)) return
    const stored = this.#core.registry.stored(crd.spec.group, crd.spec.names.plural)
    let cleanup = this.#cleanups.get(name)
    if (stored && !cleanup) {
      cleanup = startCleanup(this.#core, stored, SERVER, () => this.#look(name))
      this.#cleanups.set(name, cleanup)
    }
    if (cleanup && !(await cleanup.isDone())) {
      await this.#say(crd, 'True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
      return
    }
    const finalizers = crd.metadata.finalizers.filter((finalizer) => finalizer !== CLEANUP_FINALIZER)
    const ended = { ...crd, metadata: { ...crd.metadata, finalizers } }
    await this.#say(ended, 'False', 'InstanceDeletionCompleted', 'removed all instances')
  }

  async #say(crd: CustomResourceDefinition, status: string, reason: string, message: string): Promise<void> {
    const now = timestamp(this.#core.clock)
    const conditions = withCondition(crd.status?.conditions ?? [], { type: 'Terminating', status, reason, message }, now)
    await this.#write(crd, { ...crd.status, conditions })
  }

  async #write(crd: CustomResourceDefinition, status: CustomResourceDefinitionStatus): Promise<void> {
    const path = `/apis/${CRDS.group}/v1/${CRDS.plural}/${crd.metadata.name}/status`
    const headers = { 'user-agent': 'kube-apiserver' }
    await this.#door.request({ method: 'PUT', path, headers, body: { ...crd, status } })
  }
}
