/** An autoscaler and processes that are really busy: more of them while there is load, fewer when it is gone. Needs Linux, root and kubectl. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { skiff, until, works } from './support/skiff.ts'

const skip = process.platform !== 'linux' || process.getuid?.() !== 0 || !works('kubectl', 'version', '--client')

/** Of every tenth of a second it is busy for as many milliseconds as a file says. */
const PROGRAM = `
const { readFileSync } = require('node:fs')
setInterval(() => {
  const end = Date.now() + Number(readFileSync('/load/milliseconds', 'utf8'))
  while (Date.now() < end);
}, 100)
`
/** Evaluations are 15 seconds apart, and on a busy machine pods take their time. */
const PATIENCE_MS = 110_000

let cluster: TestCluster
let load: string

const manifest = () => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: busy}
spec:
  replicas: 1
  selector: {matchLabels: {app: busy}}
  template:
    metadata: {labels: {app: busy}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busy:v1
        resources: {requests: {cpu: 100m}}
        volumeMounts: [{name: load, mountPath: /load}]
      volumes: [{name: load, hostPath: {path: ${load}}}]
`

describe.skipIf(skip)(`autoscaling${skip ? ' (needs Linux, root and kubectl)' : ''}`, () => {
  beforeAll(async () => {
    cluster = testCluster()
    load = join(cluster.directory, 'load')
    mkdirSync(load)
    writeFileSync(join(load, 'milliseconds'), '0')
    const context = join(cluster.directory, 'busy')
    mkdirSync(context)
    writeFileSync(join(context, 'app.js'), PROGRAM)
    const built = await skiff(['image', 'build', context, '-t', 'busy:v1', '--entrypoint', 'node app.js'], cluster.env)
    expect({ code: built.code, err: built.err }).toEqual({ code: 0, err: '' })
    expect(await cluster.up()).toMatchObject({ code: 0, err: '' })
    await cluster.ok('apply -f -', manifest())
    await cluster.ok('rollout status deployment/busy --timeout=60s')
  })

  afterAll(async () => {
    await cluster?.down()
    cluster?.remove()
  })

  const replicas = async () => Number(await cluster.ok('get deployment busy -o jsonpath={.spec.replicas}'))

  it('follows what the processes do', async () => {
    await cluster.ok('autoscale deployment busy --min=1 --max=3 --cpu-percent=50')
    const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } }
    await cluster.ok(['patch', 'hpa', 'busy', '-p', JSON.stringify({ spec: { behavior } })])
    writeFileSync(join(load, 'milliseconds'), '40')
    await until('there are more of them', async () => (await replicas()) === 3, PATIENCE_MS)
    const described = await until(
      'its events are there',
      async () => {
        const text = await cluster.ok('describe hpa busy')
        return text.includes('SuccessfulRescale') && text
      },
      PATIENCE_MS,
    )
    expect(described).toMatch(/New size: 3; reason: cpu resource utilization \(percentage of request\) above target/)
    expect(described).toMatch(/AbleToScale +True /)
    writeFileSync(join(load, 'milliseconds'), '0')
    await until('one is enough', async () => (await replicas()) === 1, PATIENCE_MS)
    expect(await cluster.ok('get hpa busy')).toMatch(/busy +Deployment\/busy +(?:cpu: )?\d+%\/50% +1 +3 +\d /)
  }, 240_000)
})
