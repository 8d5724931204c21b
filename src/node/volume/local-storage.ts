/** Storage of a cluster whose nodes are all in this process: the class `standard`, and volumes in a directory for whoever asks for them. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import { createEventRecorder } from '../../reconcile/recorder.ts'
import { createRunner } from '../../reconcile/runner.ts'
import type { Informers } from '../../watch/informers.ts'
import { createStandardClass, type LocalProvisionerOptions, localProvisioner } from './local-provisioner.ts'
import { removeFiles } from './remove-files.ts'

export interface LocalStorageOptions extends LocalProvisionerOptions {
  client: Client
  informers: Informers
  clock: Clock
  log: Log
  /** The objects do not outlive the cluster: neither do their files. */
  temporary: boolean
}

/** The answer ends it, once no pod runs any more. */
export async function startLocalStorage(options: LocalStorageOptions): Promise<() => Promise<void>> {
  const { client, informers, clock, log, temporary, directory } = options
  // A killed cluster's objects are gone with it.
  if (temporary) await removeFiles(directory)
  const recorder = createEventRecorder({ client, clock, log, instance: 'skiff' })
  const runner = createRunner({ client, clock, log, informers, recorder, reconcilers: [localProvisioner(options)] })
  await runner.start()
  await createStandardClass(client)
  return async () => {
    await runner.stop()
    if (temporary) await removeFiles(directory)
  }
}
