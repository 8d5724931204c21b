/** Stock kubectl against a whole cluster whose pods really run: what people type, a group per test. Needs Linux, root and kubectl. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answering, freePort, type TestCluster, testCluster } from './support/cluster.ts'
import { run, until, works } from './support/skiff.ts'

const skip = process.platform !== 'linux' || process.getuid?.() !== 0 || !works('kubectl', 'version', '--client')
const hasScript = works('script', '--version')

const APPLIED = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {a: "1"}\n'

let cluster: TestCluster

describe.skipIf(skip)(`kubectl and a cluster${skip ? ' (needs Linux, root and kubectl)' : ''}`, () => {
  beforeAll(async () => {
    cluster = testCluster()
    await cluster.buildImages()
    const up = await cluster.up()
    expect({ code: up.code, err: up.err }).toEqual({ code: 0, err: '' })
    await cluster.ok('create deployment web --image=web:v1 --replicas=2')
    await cluster.ok('expose deployment web --port=80 --target-port=8080')
    await cluster.ok('wait --for=condition=Available deployment/web --timeout=30s')
  })

  afterAll(async () => {
    await cluster?.down()
    cluster?.remove()
  })

  /** The name of a pod that runs and is not about to go. */
  const aPod = (): Promise<string> =>
    until('a pod is ready', async () => {
      const list = JSON.parse(await cluster.ok('get pods -l app=web -o json'))
      const ready = list.items.filter(
        (pod: Pod) => pod.metadata.deletionTimestamp === undefined && pod.status.containerStatuses?.[0]?.ready === true,
      )
      return (ready[0] as Pod | undefined)?.metadata.name
    })

  const serviceUrl = async () => `http://${await cluster.ok('get service web -o jsonpath={.spec.clusterIP}')}/`

  it('get: tables, wide, json, yaml, names', async () => {
    expect(await cluster.ok('get deployments')).toMatch(/NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 /)
    expect(await cluster.ok('get pods -o wide')).toMatch(
      /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE .*\nweb-\S+ +1\/1 +Running /,
    )
    expect(JSON.parse(await cluster.ok('get service web -o json')).spec.ports[0].targetPort).toBe(8080)
    expect(await cluster.ok('get deployment web -o yaml')).toContain('kind: Deployment')
    expect(await cluster.ok('get deployment,service web -o name')).toBe('deployment.apps/web\nservice/web\n')
    expect(await cluster.ok('get nodes')).toMatch(/ Ready /)
    await answering(await serviceUrl(), 'v1')
  })

  it('get -w shows a change', async () => {
    await cluster.ok('create configmap watched')
    const watch = cluster.start('get configmap watched -w --no-headers')
    try {
      await until('the first row', () => /watched +0 /.test(watch.output()))
      await cluster.ok('patch configmap watched -p {"data":{"a":"1"}}')
      await until('the changed row', () => /watched +1 /.test(watch.output()))
    } finally {
      watch.child.kill()
      await watch.result
    }
  })

  it('describe', async () => {
    expect(await cluster.ok('describe deployment web')).toContain('2 desired | 2 updated | 2 total | 2 available | 0 unavailable')
    const pod = await cluster.ok(`describe pod ${await aPod()}`)
    expect(pod).toMatch(/Image: +web:v1/)
    expect(pod).toContain('Started')
    expect(await cluster.ok('describe service web')).toMatch(/Endpoints: +\d+\./)
    expect(await cluster.ok('describe nodes')).toContain('Ready')
  })

  it('logs, and logs -f with what comes later', async () => {
    expect(await cluster.ok(`logs ${await aPod()}`)).toContain('web v1 listens on port 8080')
    const script =
      'console.log("first"); setInterval(() => require("fs").existsSync("/tmp/go") && (console.log("second"), process.exit(0)), 50)'
    await cluster.ok(['run', 'talker', '--image=web:v1', '--restart=Never', '--command', '--', 'node', '-e', script])
    await cluster.ok('wait --for=condition=Ready pod/talker --timeout=20s')
    const logs = cluster.start('logs -f talker')
    await until('the first line', () => logs.output().includes('first'))
    await cluster.ok('exec talker -- node -e require("fs").writeFileSync("/tmp/go","")')
    expect(await logs.result).toEqual({ code: 0, out: 'first\nsecond\n', err: '' })
    await cluster.ok('delete pod talker')
  })

  it('exec passes input, output and the exit code through', async () => {
    const pod = await aPod()
    expect(await cluster.ok(`exec ${pod} -- hostname`)).toBe(`${pod}\n`)
    expect(await cluster.ok(`exec -i ${pod} -- cat`, 'typed')).toBe('typed')
    expect((await cluster.kubectl(['exec', pod, '--', 'sh', '-c', 'exit 7'])).code).toBe(7)
  })

  it.skipIf(!hasScript)('exec -it has a terminal', async () => {
    const command = `kubectl exec -it ${await aPod()} -- sh -c 'test -t 0 && test -t 1 && echo a terminal; exit 3'`
    const { code, out } = await run('script', ['-qec', command, '/dev/null'], cluster.env)
    expect(out).toContain('a terminal')
    expect(code).toBe(3)
  })

  it('cp there and back', async () => {
    const pod = await aPod()
    writeFileSync(join(cluster.directory, 'sent'), 'some text')
    await cluster.ok(`cp ${join(cluster.directory, 'sent')} ${pod}:/tmp/sent`)
    expect(await cluster.ok(`exec ${pod} -- cat /tmp/sent`)).toBe('some text')
    await cluster.ok(`cp ${pod}:/tmp/sent ${join(cluster.directory, 'back')}`)
    expect(readFileSync(join(cluster.directory, 'back'), 'utf8')).toBe('some text')
  })

  it('port-forward', async () => {
    const port = await freePort()
    const forward = cluster.start(`port-forward service/web ${port}:80`)
    try {
      await until('it listens', () => forward.output().includes('Forwarding from 127.0.0.1'))
      await answering(`http://127.0.0.1:${port}/`, 'v1')
    } finally {
      forward.child.kill()
      await forward.result
    }
  })

  it('scale', async () => {
    await cluster.ok('scale deployment web --replicas=3')
    await cluster.ok('wait --for=jsonpath={.status.readyReplicas}=3 deployment/web --timeout=20s')
    await cluster.ok('scale deployment web --replicas=1')
    await cluster.ok('wait --for=jsonpath={.status.replicas}=1 deployment/web --timeout=20s')
  })

  it('set image, rollout status, history, undo', async () => {
    const url = await serviceUrl()
    await cluster.ok('set image deployment/web web=web:v2')
    expect(await cluster.ok('rollout status deployment/web --timeout=30s')).toContain('successfully rolled out')
    await answering(url, 'v2')
    expect(await cluster.ok('rollout history deployment/web')).toMatch(/\n1 +<none>\n2 +<none>\n/)
    expect(await cluster.ok('rollout history deployment/web --revision=2')).toContain('web:v2')
    await cluster.ok('rollout undo deployment/web')
    await cluster.ok('rollout status deployment/web --timeout=30s')
    await answering(url, 'v1')
  })

  it('apply and diff', async () => {
    expect(await cluster.ok('apply -f -', APPLIED)).toBe('configmap/applied created\n')
    expect(await cluster.ok('apply -f -', APPLIED)).toBe('configmap/applied unchanged\n')
    const changed = APPLIED.replace('"1"', '"2"')
    const diff = await cluster.kubectl('diff -f -', changed)
    expect(diff.code).toBe(1)
    expect(diff.out).toMatch(/^-.*a: "1"\n\+.*a: "2"$/m)
    expect(await cluster.ok('apply -f -', changed)).toBe('configmap/applied configured\n')
    expect(await cluster.ok('apply -f -', changed)).toBe('configmap/applied unchanged\n')
    expect((await cluster.kubectl('diff -f -', changed)).code).toBe(0)
    expect(await cluster.ok('apply --server-side --force-conflicts -f -', changed)).toContain('serverside-applied')
  })

  it('edit, label, annotate, patch', async () => {
    await cluster.ok('create configmap edited --from-literal=a=before')
    expect(await cluster.ok('edit configmap edited', '', { KUBE_EDITOR: 'sed -i s/before/after/' })).toBe(
      'configmap/edited edited\n',
    )
    expect(await cluster.ok('get configmap edited -o jsonpath={.data.a}')).toBe('after')
    await cluster.ok('label configmap edited tier=front')
    await cluster.ok('annotate configmap edited note=here')
    expect(await cluster.ok('get configmap -l tier=front -o jsonpath={.items[*].metadata.annotations.note}')).toBe('here')
    await cluster.ok('label configmap edited tier-')
    expect(await cluster.ok('get configmap -l tier=front -o name')).toBe('')
    await cluster.ok('patch configmap edited -p {"data":{"b":"merged"}}')
    await cluster.ok('patch configmap edited --type=json -p [{"op":"remove","path":"/data/a"}]')
    expect(await cluster.ok('get configmap edited -o jsonpath={.data}')).toBe('{"b":"merged"}')
  })

  it('wait', async () => {
    await cluster.ok('wait --for=condition=Available deployment/web --timeout=20s')
    const timedOut = await cluster.kubectl('wait --for=jsonpath={.data.a}=never configmap/applied --timeout=1s')
    expect({ code: timedOut.code, err: timedOut.err }).toEqual({ code: 1, err: expect.stringContaining('timed out') })
  })

  it('top nodes and pods', async () => {
    expect(await cluster.ok('top nodes')).toMatch(/^NAME +CPU\(cores\) +CPU.* +MEMORY.*\nskiff +\d+m +\d+% +\d+Mi +\d+% *\n$/)
    const pod = await aPod()
    expect(await cluster.ok('top pods')).toMatch(
      new RegExp(`^NAME +CPU\\(cores\\) +MEMORY.*\\n(.*\\n)*${pod} +\\d+m +\\d+Mi *\\n`),
    )
    expect(await cluster.ok(`top pod ${pod} --containers`)).toMatch(new RegExp(`\\n${pod} +web +\\d+m +\\d+Mi *\\n$`))
    expect(await cluster.ok('top pods -A -l app=web --sort-by=memory --no-headers')).toMatch(/^default +web-\S+ +\d+m +\d+Mi/)
    expect(await cluster.ok('get pods.metrics.k8s.io -l app=web')).toMatch(/^NAME +CPU +MEMORY +WINDOW\nweb-/)
    expect((await cluster.kubectl('top pod none')).err).toBe('Error from server (NotFound): pods "default/none" not found\n')
  })

  it('api-resources, explain, auth can-i', async () => {
    expect(await cluster.ok('api-resources')).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/)
    expect(await cluster.ok('explain deployment.spec.replicas')).toMatch(/FIELD: replicas <integer>/)
    expect(await cluster.ok('auth can-i create deployments')).toBe('yes\n')
  })

  it('delete, and what belongs to it goes as well', async () => {
    // Newer versions of kubectl add the namespace.
    const deleted = await cluster.ok('delete deployment,service web')
    expect(deleted).toMatch(/^deployment.apps "web" deleted.*\nservice "web" deleted.*\n$/)
    await cluster.ok('wait --for=delete pod -l app=web --timeout=30s')
    expect(await cluster.ok('get replicasets,pods -l app=web -o name')).toBe('')
    expect((await cluster.kubectl('get deployment web')).err).toContain('NotFound')
  })
})

interface Pod {
  metadata: { name: string; deletionTimestamp?: string }
  status: { containerStatuses?: { ready: boolean }[] }
}
