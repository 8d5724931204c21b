import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { templatePathsOf } from '../../src/cli/pod-template.ts'
import { type CommandLine, startCommandLine } from './command-line.ts'

let cli: CommandLine
beforeAll(async () => {
  cli = await startCommandLine()
  await cli.run(['create', 'deployment', 'web', '--image', 'web:v1'])
  await cli.run(['create', 'deployment', 'pair', '--image', 'a:1', '--image', 'b:1'])
  await cli.run(['create', 'configmap', 'settings', '--from-literal', 'log-level=info', '--from-literal', 'mode=fast'])
  await cli.run(['apply', '-f', '-'], { input: MANY })
})
afterAll(() => cli.close())

const MANY = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 0 * * *"
  jobTemplate:
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: "job:v1"}]}}}
---
apiVersion: v1
kind: PodTemplate
metadata: {name: draft}
template: {metadata: {labels: {app: draft}}, spec: {containers: [{name: main, image: "draft:v1"}]}}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 0
  selector: {app: old}
  template: {metadata: {labels: {app: old}}, spec: {containers: [{name: main, image: "old:v1"}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: lone}
spec: {containers: [{name: main, image: "lone:v1"}]}
`

describe('set image', () => {
  it('finds the template wherever it is', async () => {
    expect(await cli.run(['set', 'image', 'web', 'web:v2'])).toEqual({
      code: 0,
      err: '',
      out: 'deployment.apps/web image updated\n',
    })
    expect((await cli.run(['set', 'image', 'web', 'web:v2'])).out).toBe('deployment.apps/web unchanged\n')
    expect((await cli.run(['set', 'image', 'nightly', 'main=job:v2'])).out).toBe('cronjob.batch/nightly image updated\n')
    expect((await cli.run(['set', 'image', 'draft', 'draft:v2'])).out).toBe('podtemplate/draft image updated\n')
    expect((await cli.run(['set', 'image', 'lone', 'lone:v2'])).out).toBe('pod/lone image updated\n')
    expect(await cli.run(['set', 'image', 'old', 'old:v2'])).toEqual({
      ...{ code: 0, out: 'replicationcontroller/old image updated\n' },
      err: 'note: the pods that replicationcontroller/old has stay as they are; "skiff restart replicationcontroller/old" replaces them\n',
    })
    const images = await Promise.all(
      [
        ['cronjob/nightly', '.spec.jobTemplate.spec.template.spec.containers[0].image'],
        ['podtemplate/draft', '.template.spec.containers[0].image'],
        ['pod/lone', '.spec.containers[0].image'],
        ['rc/old', '.spec.template.spec.containers[0].image'],
      ].map(async ([name, path]) => (await cli.run(['get', name!, '-o', `jsonpath={${path}}`])).out),
    )
    expect(images).toEqual(['job:v2', 'draft:v2', 'lone:v2', 'old:v2'])
  })

  it('takes several containers, names, selectors and files', async () => {
    expect((await cli.run(['set', 'image', 'pair', 'nginx'])).err).toBe(
      'error: deployment/pair has several containers: a, b; say which with CONTAINER=IMAGE\n',
    )
    expect((await cli.run(['set', 'image', 'pair', 'c=nginx'])).err).toBe(
      'error: deployment/pair has no container "c" (it has: a, b)\n',
    )
    await cli.run(['set', 'image', 'pair', 'a=a:2', 'b=b:2'])
    expect((await cli.run(['get', 'pair', '-o', 'jsonpath={.spec.template.spec.containers[*].image}'])).out).toBe('a:2 b:2')
    expect((await cli.run(['set', 'image', 'pair', 'web', '*=all:1'])).out).toBe(
      'deployment.apps/pair image updated\ndeployment.apps/web image updated\n',
    )
    expect((await cli.run(['set', 'image', 'deploy', '-l', 'app=web', 'web:v3'])).out).toBe('deployment.apps/web image updated\n')
    expect(
      (
        await cli.run([
          'set',
          'image',
          'deploy',
          'web',
          '--dry-run',
          'web:v4',
          '-o',
          'jsonpath={.spec.template.spec.containers[0].image}',
        ])
      ).out,
    ).toBe('web:v4')
    expect((await cli.run(['get', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).out).toBe('web:v3')
  })
})

describe('set env', () => {
  it('sets, removes, refers and lists', async () => {
    expect((await cli.run(['set', 'env', 'web', 'A=1', 'B=x=y'])).out).toBe('deployment.apps/web env updated\n')
    expect((await cli.run(['set', 'env', 'web', 'A-', 'C=3', '--from', 'cm/settings', '--prefix', 'app_'])).out).toBe(
      'deployment.apps/web env updated\n',
    )
    expect((await cli.run(['set', 'env', 'web', '--list'])).out).toBe(
      [
        '# deployment/web, container web',
        'B=x=y',
        '# APP_LOG_LEVEL from configmap/settings, key log-level',
        '# APP_MODE from configmap/settings, key mode',
        'C=3\n',
      ].join('\n'),
    )
  })

  it('is refused where it cannot be', async () => {
    expect((await cli.run(['set', 'env', 'lone', 'A=1'])).err).toBe(
      'error: pod/lone: the env of a pod cannot be changed once it exists; make another\n',
    )
    expect((await cli.run(['set', 'env', 'settings', 'A=1'])).err).toMatch(/fits set, which takes what has a pod template/)
    expect((await cli.run(['set', 'env', 'web', 'A=1', 'A-'])).err).toBe('error: A cannot be set and removed at once\n')
    expect((await cli.run(['set', 'env', 'web', '--from', 'cm/settings', '--keys', 'none'])).err).toBe(
      'error: cm/settings has no key "none" (it has: log-level, mode)\n',
    )
    // One that cannot be changed keeps all from being changed.
    expect((await cli.run(['set', 'env', 'web', 'lone', 'Z=1'])).code).toBe(1)
    expect((await cli.run(['set', 'env', 'web', '--list'])).out).not.toContain('Z=1')
  })
})

describe('set volume', () => {
  const spec = async () => JSON.parse((await cli.run(['get', 'pair', '-o', 'jsonpath={.spec.template.spec}'])).out)

  it('mounts, in one container or all, and takes away what nothing mounts any more', async () => {
    const { out } = await cli.run([
      'set',
      'volume',
      'pair',
      'data:/data',
      '/cache',
      '--mount',
      'type=configmap,source=settings,target=/etc/x',
    ])
    expect(out).toBe('deployment.apps/pair volume updated\n')
    const { volumes, containers } = await spec()
    expect(volumes).toMatchObject([
      { name: 'claim-data', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'empty-cache', emptyDir: {} },
      { configMap: { name: 'settings' } },
    ])
    expect(containers[1].volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
      '/data',
      '/cache',
      '/etc/x',
    ])
    expect((await cli.run(['set', 'volume', 'pair', 'data:/data'])).out).toBe('deployment.apps/pair unchanged\n')
    await cli.run(['set', 'volume', 'pair', '-c', 'a', '/data-'])
    expect((await spec()).volumes).toHaveLength(3)
    await cli.run(['set', 'volume', 'pair', '/data-', '/cache-', '/etc/x-'])
    expect((await spec()).volumes ?? []).toEqual([])
    expect((await cli.run(['set', 'volume', 'pair', '/none-'])).err).toBe('error: deployment/pair: nothing is mounted at /none\n')
    expect((await cli.run(['set', 'volume', 'pair', 'data:relative'])).err).toMatch(/must begin with \//)
  })
})

describe('set resources, serviceaccount and probe', () => {
  const read = async (path: string) => (await cli.run(['get', 'web', '-o', `jsonpath={.spec.template.spec.${path}}`])).out

  it('set and take away', async () => {
    await cli.run(['set', 'resources', 'web', '--limits', 'cpu=500m,memory=256Mi', '--requests', 'cpu=100m'])
    expect(JSON.parse(await read('containers[0].resources'))).toEqual({
      limits: { cpu: '500m', memory: '256Mi' },
      requests: { cpu: '100m' },
    })
    await cli.run(['set', 'resources', 'web', '--limits', 'memory=0', '--requests', 'cpu=0'])
    expect(JSON.parse(await read('containers[0].resources'))).toEqual({ limits: { cpu: '500m' } })
    expect((await cli.run(['set', 'resources', 'web', '--limits', 'cpu=lots'])).err).toBe(
      'error: --limits: "lots" is no amount such as 200m, 2 or 512Mi\n',
    )
    expect((await cli.run(['set', 'serviceaccount', 'web', 'builder'])).out).toBe('deployment.apps/web serviceaccount updated\n')
    expect(await read('serviceAccountName')).toBe('builder')
  })

  it('probe by request, connection and command', async () => {
    await cli.run(['set', 'probe', 'web', '--readiness', '--get-url', 'http://:8080/healthz', '--period', '5'])
    expect(JSON.parse(await read('containers[0].readinessProbe'))).toMatchObject({
      httpGet: { path: '/healthz', port: 8080 },
      periodSeconds: 5,
    })
    expect((await cli.run(['set', 'probe', 'web', '--liveness', '--', 'test', '-f', '/alive'])).out).toBe(
      'deployment.apps/web probe updated\n',
    )
    expect(JSON.parse(await read('containers[0].livenessProbe.exec.command'))).toEqual(['test', '-f', '/alive'])
    await cli.run(['set', 'probe', 'web', '--liveness', '--open-tcp', '8080'])
    expect(JSON.parse(await read('containers[0].livenessProbe'))).not.toHaveProperty('exec')
    await cli.run(['set', 'probe', 'web', '--liveness', '--readiness', '--remove'])
    expect(await read('containers[0].livenessProbe')).toBe('')
    expect((await cli.run(['set', 'probe', 'web', '--readiness'])).err).toMatch(/^error: what is to be probed\?/)
    expect((await cli.run(['set', 'probe', 'web', '--startup', '--period', '3'])).err).toBe(
      'error: deployment/web, container web: there is no startup probe to change\n',
    )
  })
})

describe('the pod template', () => {
  const template = { metadata: {}, spec: { containers: [{ name: 'a' }] } }

  it('of a custom resource is found wherever it stands', () => {
    const object = (spec: object) => ({ kind: 'Thing', metadata: {}, spec })
    expect(templatePathsOf(object({ template }), 'x.example')).toEqual([['spec', 'template']])
    expect(templatePathsOf(object({ worker: { pods: template }, size: 3 }), 'x.example')).toEqual([['spec', 'worker', 'pods']])
    expect(templatePathsOf(object({ a: template, b: template }), 'x.example')).toHaveLength(2)
    expect(templatePathsOf(object({ list: [template] }), 'x.example')).toEqual([])
  })
})
