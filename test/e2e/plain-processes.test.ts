/** Pods as plain processes: the metadata service by its URL, and sd_notify, where there are no namespaces. Needs Linux. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pods } from '../../src/client/resources.ts'
import { openImageStore } from '../../src/node/images/store.ts'
import { createNode, type Node } from '../../src/node/node.ts'
import { createLocalRuntime } from '../../src/node/runtime/local/local.ts'
import { type ControlPlane, startControlPlane } from '../node/support/control-plane.ts'
import { works } from './support/skiff.ts'

const linux = process.platform === 'linux'
const SCRIPT = `
name=$(curl -s -H 'Metadata-Flavor: Google' $SKIFF_METADATA_URL/computeMetadata/v1/pod/name)
systemd-notify --ready --status="I am $name"
exec sleep 1000
`

let plane: ControlPlane
let node: Node
let directory: string

describe.skipIf(!linux)('pods as plain processes (needs Linux)', () => {
  beforeAll(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'skiff-')))
    mkdirSync(join(directory, 'app'))
    writeFileSync(join(directory, 'app/empty'), '')
    await openImageStore(directory).build({ directory: join(directory, 'app'), tag: 'app:v1', entrypoint: ['true'] })
    plane = await startControlPlane()
    const { clock, log } = plane
    const runtime = await createLocalRuntime({ dataDirectory: directory, isolation: 'process', clock, log })
    node = createNode({ ...plane, name: 'n1', runtime, dataDirectory: directory })
    await node.start()
  })
  afterAll(async () => {
    await node?.stop({ remove: true })
    await plane?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  it.skipIf(!works('systemd-notify', '--version') || !works('curl', '--version'))(
    'find out who they are, and say it',
    async () => {
      const annotations = { 'skiff.dev/notify': 'true' }
      const containers = [{ name: 'main', image: 'app:v1', command: ['sh', '-c', SCRIPT] }]
      for (const name of ['one', 'two']) {
        await plane.client.create(pods, {
          ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', annotations } },
          spec: { nodeName: 'n1', automountServiceAccountToken: false, terminationGracePeriodSeconds: 2, containers },
        })
      }
      const said = async (name: string) => {
        const { status } = await plane.client.get(pods, name, { namespace: 'default' })
        return status?.conditions?.find(({ type }) => type === 'skiff.dev/Notify')?.message
      }
      for (const name of ['one', 'two']) await expect.poll(() => said(name), { timeout: 60_000 }).toBe(`main: I am ${name}`)
    },
  )
})
