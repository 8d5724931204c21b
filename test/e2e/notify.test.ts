/** sd_notify and stage timeouts with real programs in real pods: systemd-notify, Python, Node over HTTP. Needs Linux and root. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Container, Pod } from '../../src/api/types.ts'
import { pods } from '../../src/client/resources.ts'
import { noRealPods, type RealPods, realPods } from './support/real-pods.ts'
import { works } from './support/skiff.ts'

/** Says what its arguments say, one after the other; `go` waits until the pod has the label go, `sleep:2` two seconds. */
const SAYS = `
const root = process.env.SKIFF_METADATA_URL ?? 'http://169.254.169.254'
const headers = { 'Metadata-Flavor': 'Google' }
async function go() {
  for (let etag = '0'; ; ) {
    const query = '?recursive=true&wait_for_change=true&last_etag=' + etag
    const response = await fetch(root + '/computeMetadata/v1/pod/labels/' + query, { headers })
    etag = response.headers.get('etag')
    if ((await response.json()).go) return
  }
}
async function main() {
  for (const word of process.argv.slice(2)) {
    if (word === 'go') await go()
    else if (word.startsWith('sleep:')) await new Promise((resolve) => setTimeout(resolve, Number(word.slice(6)) * 1000))
    else {
      const response = await fetch(root + '/notify', { method: 'PUT', headers, body: word })
      console.log(response.status, await response.text())
    }
  }
  setInterval(() => {}, 1000)
}
main()
`

const PYTHON = `
import os, socket, sys, time
def say(*lines):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(os.environ['NOTIFY_SOCKET'])
        s.send('\\n'.join(lines).encode())
`

const python = (program: string): string[] => ['/usr/bin/python3', '-c', PYTHON + program]
const hasPython = works('/usr/bin/python3', '--version')

const notify = { annotations: { 'skiff.dev/notify': 'true' } }
const condition = (pod: Pod) => pod.status?.conditions?.find(({ type }) => type === 'skiff.dev/Notify')
const status = (pod: Pod, name = 'main') =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].find((each) => each.name === name)
const isReady = (pod: Pod) => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

let world: RealPods

describe.skipIf(noRealPods)(`what containers say of themselves${noRealPods ? ' (needs Linux and root)' : ''}`, () => {
  beforeAll(async () => {
    world = await realPods()
    await world.buildImage('says:v1', SAYS)
  })
  afterAll(() => world?.close())

  const spec = (container: Partial<Container>) => ({
    containers: [{ name: 'main', image: 'says:v1', ...container }],
    restartPolicy: 'Always',
  })
  const go = (name: string) =>
    world.cluster.client.patch(pods, name, 'merge', { metadata: { labels: { go: 'yes' } } }, { namespace: 'default' })

  it.skipIf(!works('systemd-notify', '--version'))('makes a pod ready when systemd-notify says so, and not before', async () => {
    const wait = `systemd-notify --status='loading 40%'; curl -s -H 'Metadata-Flavor: Google' \
      'http://169.254.169.254/computeMetadata/v1/pod/labels/?wait_for_change=true' >/dev/null
      systemd-notify --ready --status='serving'; exec sleep 1000`
    await world.run('systemd', spec({ command: ['sh', '-c', wait] }), notify)
    const loading = await world.pod('systemd', 'is loading', (pod) => condition(pod)?.message === 'main: loading 40%')
    expect(condition(loading)).toMatchObject({ status: 'False', reason: 'Waiting' })
    expect(status(loading)).toMatchObject({ ready: false, started: false, state: { running: {} } })
    await go('systemd')
    const ready = await world.pod('systemd', 'is ready', isReady)
    expect(status(ready)).toMatchObject({ ready: true, started: true, restartCount: 0 })
    expect(condition(ready)).toMatchObject({ status: 'True', reason: 'Ready', message: 'main: serving' })
  })

  it.skipIf(!hasPython)('follows a Python program through reloading, an error and its end', async () => {
    const program = `
say('READY=1', 'MAINPID=%d' % os.getpid())
usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
say('RELOADING=1', 'MONOTONIC_USEC=%d' % usec, 'STATUS=reading the configuration')
time.sleep(3)
say('READY=1', 'STATUS=new configuration')
time.sleep(3)
say('STOPPING=1', 'STATUS=going', 'ERRNO=5')
time.sleep(1000)
`
    await world.run('python', spec({ command: python(program) }), notify)
    const reloading = await world.pod('python', 'reloads', (pod) => condition(pod)?.reason === 'Reloading')
    expect(condition(reloading)).toMatchObject({ status: 'True' })
    await world.pod('python', 'is ready again', (pod) => condition(pod)?.message === 'main: new configuration' && isReady(pod))
    const stopping = await world.pod('python', 'stops', (pod) => condition(pod)?.reason === 'Stopping' && !isReady(pod))
    expect(condition(stopping)).toMatchObject({ status: 'False', message: 'main: going (errno 5)' })
  })

  it('hears a Node program over HTTP', async () => {
    await world.run('http', spec({ args: ['STATUS=one', 'go', 'READY=1\nSTATUS=two'] }), notify)
    await world.pod('http', 'says one', (pod) => condition(pod)?.message === 'main: one' && !isReady(pod))
    await go('http')
    await world.pod('http', 'is ready', (pod) => condition(pod)?.message === 'main: two' && isReady(pod))
    expect(await world.log('http')).toBe('204 \n204 \n')
    await world.run('deaf', spec({ args: ['READY=1'] }))
    await world.says('deaf', '409 no running container of this pod notifies; annotate the pod with skiff.dev/notify: "true"')
  })

  it.skipIf(!hasPython)('restarts what its watchdog no longer hears, and what wants to be', async () => {
    const silent = `
assert os.environ['WATCHDOG_USEC'] == '1500000'
say('READY=1')
for _ in range(6):
    time.sleep(0.5)
    say('WATCHDOG=1')
time.sleep(1000)
`
    const annotations = { ...notify.annotations, 'skiff.dev/timeouts': 'watchdog: 1500ms' }
    await world.run('silent', spec({ command: python(silent) }), { annotations })
    const restarted = await world.pod('silent', 'is restarted', (pod) => (status(pod)?.restartCount ?? 0) > 0)
    const ended = status(restarted)?.lastState?.terminated
    expect(ended).toMatchObject({ reason: 'StageTimeout:watchdog' })
    expect(Date.parse(ended?.finishedAt ?? '') - Date.parse(ended?.startedAt ?? '')).toBeGreaterThanOrEqual(4000)
    const trigger = `say('READY=1')\ntime.sleep(1)\nsay('WATCHDOG=trigger')\ntime.sleep(1000)\n`
    await world.run('trigger', spec({ command: python(trigger) }), notify)
    const again = await world.pod('trigger', 'is restarted', (pod) => (status(pod)?.restartCount ?? 0) > 0)
    expect(status(again)?.lastState?.terminated?.reason).toBe('StageTimeout:watchdog')
  })

  it('holds the clocks of probes until READY, and while more time is asked for', async () => {
    const exec = { command: ['test', '-e', '/tmp/alive'] }
    const livenessProbe = { exec, periodSeconds: 1, failureThreshold: 1 }
    const command = [...['sh', '-c', 'sleep 4; touch /tmp/alive; exec node app.js READY=1 EXTEND_TIMEOUT_USEC=4000000']]
    await world.run('slow', spec({ command, livenessProbe }), notify)
    await world.pod('slow', 'is ready', isReady)
    expect(status(await world.get('slow'))).toMatchObject({ restartCount: 0 })
    expect((await world.events('slow')).filter((event) => event.startsWith('Unhealthy'))).toEqual([])
  })

  it.skipIf(!hasPython)('is not harmed by a container that floods it', async () => {
    const flood = `
say('READY=1')
while True:
    try:
        say('STATUS=%d' % time.monotonic_ns())
    except OSError:
        pass
`
    await world.run('flood', spec({ command: python(flood) }), notify)
    await world.pod('flood', 'is ready', isReady)
    await world.run('beside', spec({ args: ['READY=1'] }), notify)
    await world.pod('beside', 'is ready', isReady, 20_000)
    const events = await world.events('flood')
    expect(events).toContainEqual(expect.stringMatching(/^NotifyFlood: Container main sends notifications faster/))
    await world.cluster.client.delete(pods, 'flood', { namespace: 'default', gracePeriodSeconds: 0 })
  })
})

describe.skipIf(noRealPods)(`stages that take too long${noRealPods ? ' (needs Linux and root)' : ''}`, () => {
  beforeAll(async () => {
    world = await realPods()
    await world.buildImage('says:v1', SAYS)
  })
  afterAll(() => world?.close())

  const spec = (container: Partial<Container>) => ({ containers: [{ name: 'main', image: 'says:v1', ...container }] })
  const limited = (timeouts: string, more: Record<string, string> = {}) => ({
    annotations: { 'skiff.dev/timeouts': timeouts, ...more },
  })

  it('start: a pod whose image is nowhere fails in time', async () => {
    const image = 'nowhere.invalid/app:v1'
    await world.run('nowhere', { ...spec({ image }), restartPolicy: 'Always' }, limited('start: 2s'))
    const { status: failed } = await world.pod('nowhere', 'fails', ({ status }) => status?.phase === 'Failed')
    expect(failed).toMatchObject({ reason: 'StageTimeout:start' })
    expect(failed?.message).toMatch(/^container main did not start within 2s \(ErrImagePull: /)
  })

  it('ready: a container that never says READY is stopped; one that asks for time is waited for', async () => {
    const annotations = { 'skiff.dev/notify': 'true' }
    await world.run('never', spec({ args: ['STATUS=thinking'] }), limited('ready: 2s', annotations))
    const never = await world.pod('never', 'fails', ({ status }) => status?.phase === 'Failed')
    expect(status(never)?.state?.terminated).toMatchObject({ reason: 'StageTimeout:ready' })
    const patient = ['EXTEND_TIMEOUT_USEC=20000000', 'sleep:4', 'READY=1']
    await world.run('patient', spec({ args: patient }), limited('ready: 2s', annotations))
    await world.pod('patient', 'is ready', isReady)
  })

  it('ready: a startup probe keeps the time it was given', async () => {
    const startupProbe = { exec: { command: ['test', '-e', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 30 }
    const command = ['sh', '-c', 'sleep 4; touch /tmp/up; exec sleep 1000']
    await world.run('probed', spec({ command, startupProbe }), limited('ready: 1s'))
    await world.pod('probed', 'is ready', isReady)
    expect(status(await world.get('probed'))).toMatchObject({ restartCount: 0, ready: true })
  })

  it('stop: a container that does not go is killed before its grace is over', async () => {
    const command = ['sh', '-c', 'trap "" TERM; touch /tmp/deaf; while :; do sleep 1; done']
    const livenessProbe = { exec: { command: ['test', '!', '-e', '/tmp/deaf'] }, periodSeconds: 1, failureThreshold: 1 }
    const grace = { terminationGracePeriodSeconds: 600, restartPolicy: 'Always' }
    await world.run('deaf', { ...spec({ command, livenessProbe }), ...grace }, limited('stop: 1s'))
    const killed = await world.pod('deaf', 'is restarted', (pod) => (status(pod)?.restartCount ?? 0) > 0)
    expect(status(killed)?.lastState?.terminated).toMatchObject({ reason: 'StageTimeout:stop', exitCode: 137 })
    await world.cluster.client.delete(pods, 'deaf', { namespace: 'default', gracePeriodSeconds: 0 })
  })

  it('preStart: a hook that hangs is ended, and its failure aborts, is retried or ignored as asked', async () => {
    const hook = { 'skiff.dev/pre-start.main': '["sh", "-c", "echo hooked; exec sleep 1000"]' }
    const onFailure = (policy: string) => ({ ...hook, 'skiff.dev/pre-start-failure.main': policy })
    await world.run('hangs', { ...spec({}), restartPolicy: 'Always' }, limited('preStart: 1s', onFailure('abort')))
    const hangs = await world.pod('hangs', 'fails', ({ status }) => status?.phase === 'Failed')
    expect(status(hangs, 'pre-start-main')?.state?.terminated).toMatchObject({ reason: 'StageTimeout:preStart' })
    expect(await world.log('hangs', 'pre-start-main')).toContain('hooked\n')
    await world.run('again', spec({}), limited('preStart: 1s', hook))
    const again = await world.pod('again', 'tries again', (pod) => (status(pod, 'pre-start-main')?.restartCount ?? 0) > 0)
    expect(again.status?.phase).toBe('Pending')
    await world.run('goes-on', spec({}), limited('preStart: 1s', onFailure('ignore')))
    const running = await world.pod('goes-on', 'is ready', isReady)
    expect(running.status?.phase).toBe('Running')
  })

  it("preStart: runs in its container's image, environment and mounts, before it", async () => {
    const hook = { 'skiff.dev/pre-start.main': '["sh", "-c", "echo $GREETING > /data/greeting"]' }
    const volumes = [{ name: 'data', emptyDir: {} }]
    const volumeMounts = [{ name: 'data', mountPath: '/data' }]
    const container = { command: ['cat', '/data/greeting'], env: [{ name: 'GREETING', value: 'hello' }], volumeMounts }
    await world.run('prepared', { ...spec(container), volumes }, { annotations: hook })
    await world.pod('prepared', 'ends', ({ status }) => status?.phase === 'Succeeded')
    expect(await world.log('prepared')).toBe('hello\n')
  })
})
