/** examples/downward in real pods: what a pod is told about itself, by stock kubectl and the local runtime. Needs Linux, root and kubectl. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod } from '../../src/api/types.ts'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { ROOT, until, works } from './support/skiff.ts'

const skip = process.platform !== 'linux' || process.getuid?.() !== 0 || !works('kubectl', 'version', '--client')
const MANIFEST = join(ROOT, 'examples/downward/downward.yaml')

interface Knowledge {
  variables: Record<string, string>
  files: Record<string, string>
  arguments: string[]
  metadata?: { name?: string }
  hangups: number
  startedAt: string
}

let cluster: TestCluster

describe.skipIf(skip)(`field paths in real pods${skip ? ' (needs Linux, root and kubectl)' : ''}`, () => {
  beforeAll(async () => {
    cluster = testCluster()
    const built = await cluster.skiff(
      'image',
      'build',
      join(ROOT, 'examples/downward'),
      '-t',
      'downward:v1',
      '--entrypoint',
      'node server.js',
    )
    expect({ code: built.code, err: built.err }).toEqual({ code: 0, err: '' })
    const up = await cluster.up()
    expect({ code: up.code, err: up.err }).toEqual({ code: 0, err: '' })
    await cluster.ok(['apply', '-f', MANIFEST])
    await cluster.ok('wait --for=condition=Available deployment/downward --timeout=60s')
  })

  afterAll(async () => {
    await cluster?.down()
    cluster?.remove()
  })

  const pod = async (): Promise<Pod> => JSON.parse(await cluster.ok('get pods -l app=downward -o json')).items[0]
  const knowledge = async (): Promise<Knowledge> => {
    const address = (await pod()).status?.podIP
    const response = await fetch(`http://${address}:8080/`, {
      signal: AbortSignal.timeout(2000),
      headers: { connection: 'close' },
    })
    return (await response.json()) as Knowledge
  }
  const known = (what: string, holds: (now: Knowledge) => boolean) =>
    until(what, async () => {
      const now = await knowledge().catch(() => undefined)
      return now && holds(now) ? now : undefined
    })

  it('tells variables, arguments and files what they ask for', async () => {
    const { metadata, spec, status } = await pod()
    const address = await cluster.ok('get service downward -o jsonpath={.spec.clusterIP}')
    const node = JSON.parse(await cluster.ok(`get node ${spec?.nodeName} -o json`))
    const { variables, arguments: args, metadata: told } = await knowledge()
    expect(variables).toEqual({
      KNOWN_NAME: metadata.name,
      KNOWN_IP: status?.podIP,
      KNOWN_IMAGE: 'downward:v1',
      KNOWN_CONTAINERS: '["app"]',
      KNOWN_CANARY: 'no',
      KNOWN_QOS: 'BestEffort',
      KNOWN_CREATED: metadata.creationTimestamp,
      KNOWN_NODE: node.metadata.labels['kubernetes.io/hostname'],
      KNOWN_OWNER: metadata.ownerReferences?.[0]?.name,
      KNOWN_TEAM: 'red',
      KNOWN_COLOUR: 'none',
      KNOWN_SERVICE: address,
      KNOWN_CPUS: node.status.capacity.cpu,
      KNOWN_MEMORY: expect.stringMatching(/^\d{8,}$/),
      KNOWN_ARCH: node.status.nodeInfo.architecture,
      KNOWN_OS: 'linux',
      KNOWN_HOST_IP: node.status.addresses.find((one: { type: string }) => one.type === 'InternalIP').address,
      KNOWN_URL: `http://${address}/default`,
    })
    expect(told?.name).toBe(metadata.name)
    expect(args).toEqual(['--image=downward:v1', `--db=${address}:80`])
    const { files } = await known('the files say that the pod is ready', (now) => now.files.ready === 'True')
    expect(files).toMatchObject({ tier: 'front', ip: status?.podIP, team: 'red', colour: 'none', ports: '80' })
    expect(files.labels).toContain('tier="front"')
  })

  it('stays as it is when the same manifest is applied again and again', async () => {
    const before = JSON.parse(await cluster.ok('get deployment downward -o json'))
    const { metadata } = await pod()
    await cluster.ok(['apply', '-f', MANIFEST])
    await cluster.ok(['apply', '--server-side', '--force-conflicts', '-f', MANIFEST])
    await cluster.ok(['apply', '--server-side', '-f', MANIFEST])
    const after = JSON.parse(await cluster.ok('get deployment downward -o json'))
    expect(after.spec).toEqual(before.spec)
    expect(after.metadata.generation).toBe(before.metadata.generation)
    expect((await pod()).metadata.uid).toBe(metadata.uid)
  })

  it('rewrites files when something changes, sends a signal, and leaves variables as they were', async () => {
    const { startedAt } = await knowledge()
    const { metadata } = await pod()
    await cluster.ok(`label pod ${metadata.name} tier=back --overwrite`)
    await cluster.ok('label deployment downward team=blue --overwrite')
    const now = await known('the files follow, and the process hears of it', ({ files, hangups }) => {
      return files.tier === 'back' && files.team === 'blue' && hangups === 1
    })
    expect(now.variables.KNOWN_TEAM).toBe('red')
    expect(now.startedAt).toBe(startedAt)
    const { code, out } = await cluster.skiff('env', 'downward')
    expect(code).toBe(0)
    expect(out).toMatch(/app +KNOWN_TEAM +red +field owner\/Deployment:metadata.labels.team +"blue"\n/)
    expect(out).toMatch(/app +KNOWN_CANARY +no +field metadata.labels.canary \?\? "no" +no\n/)
  })

  it('restarts the container with the new value where that is asked for', async () => {
    const { startedAt } = await knowledge()
    await cluster.ok('label namespace default colour=green')
    const now = await known('the container knows the new colour', ({ variables }) => variables.KNOWN_COLOUR === 'green')
    expect(now.startedAt).not.toBe(startedAt)
    expect(now.files.colour).toBe('green')
    expect((await pod()).status?.containerStatuses?.[0]?.restartCount).toBe(1)
  })

  it('holds back a pod whose path has no value, says why, and starts it when there is one', async () => {
    const waiting = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'waits' },
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'app', image: 'downward:v1', command: ['echo', 'db is $(service/late:spec.clusterIP)'] }],
      },
    }
    await cluster.ok('create -f -', JSON.stringify(waiting))
    expect(await cluster.ok('get pod waits --no-headers')).toMatch(/SchedulingGated/)
    await until('it says why', async () =>
      /service\/late:spec.clusterIP has no value: the Service late does not exist/.test(await cluster.ok('describe pod waits')),
    )
    await cluster.ok('create service clusterip late --tcp=80')
    await cluster.ok('wait --for=jsonpath={.status.phase}=Succeeded pod/waits --timeout=60s')
    const address = await cluster.ok('get service late -o jsonpath={.spec.clusterIP}')
    expect(await cluster.ok('logs waits')).toBe(`db is ${address}\n`)
  })

  it('refuses a bad path with its place, and what is possible there', async () => {
    const bad = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bad' },
      spec: {
        containers: [
          { name: 'app', image: 'downward:v1', env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nodNam' } } }] },
        ],
      },
    }
    const { code, err } = await cluster.kubectl('create -f -', JSON.stringify(bad))
    expect(code).toBe(1)
    expect(err).toContain('spec.containers[0].env[0].valueFrom.fieldRef.fieldPath')
    expect(err).toContain('at character 6: PodSpec has no field "nodNam"; possible here: nodeName')
  })
})
