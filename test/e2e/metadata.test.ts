/** The metadata service as programs in real pods find it: curl, the npm package gcp-metadata, and plain HTTP. Needs Linux and root. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMaps, nodes, pods, services } from '../../src/client/resources.ts'
import { noRealPods, type RealPods, realPods } from './support/real-pods.ts'
import { until, works } from './support/skiff.ts'

const GCP = `
import * as metadata from 'gcp-metadata'
async function main() {
  console.log('available', await metadata.isAvailable())
  console.log('name', await metadata.instance('name'))
  console.log('project', await metadata.project('project-id'))
  console.log('attribute', await metadata.instance('attributes/' + encodeURIComponent('example.com/color')))
  console.log('all', JSON.stringify(await metadata.instance({ property: '', params: { recursive: true } })))
  console.log('done')
}
main()
`

/** Prints what it is told at a path, and again whenever that is another. */
const FOLLOW = `
const root = (process.env.SKIFF_METADATA_URL ?? 'http://169.254.169.254') + '/computeMetadata/v1/'
async function main() {
  for (let etag = '0'; ; ) {
    const query = '?recursive=true&wait_for_change=true&last_etag=' + etag
    const response = await fetch(root + process.argv[2] + query, { headers: { 'Metadata-Flavor': 'Google' } })
    etag = response.headers.get('etag')
    console.log(response.status, await response.text())
  }
}
main()
`

const SCRIPT = `
H='Metadata-Flavor: Google'
U=http://169.254.169.254
echo "name $(curl -s -H "$H" $U/computeMetadata/v1/pod/name)"
echo "without $(curl -s -o /dev/null -w '%{http_code}' $U/computeMetadata/v1/pod/name)"
echo "forwarded $(curl -s -o /dev/null -w '%{http_code}' -H "$H" -H 'X-Forwarded-For: 1.2.3.4' $U/computeMetadata/v1/pod/name)"
echo "flavor $(curl -s -D - -o /dev/null -H "$H" $U/ | tr -d '\\r' | sed -n 's/^Metadata-Flavor: //p')"
echo "uuid $(curl -s -H 'Metadata-Flavor: AppContainer' $U/acMetadata/v1/pod/uuid)"
S=$(curl -s -H 'Metadata-Flavor: AppContainer' --data-urlencode content=hello $U/acMetadata/v1/pod/hmac/sign)
V=$(curl -s -o /dev/null -w '%{http_code}' -H 'Metadata-Flavor: AppContainer' --data-urlencode content=hello \\
  --data-urlencode "signature=$S" --data-urlencode "uuid=$UID_OF_POD" $U/acMetadata/v1/pod/hmac/verify)
echo "verified $V"
echo "image $(curl -s -H 'Metadata-Flavor: AppContainer' $U/acMetadata/v1/apps/main/image/id)"
echo "env $SKIFF_METADATA_URL."
`

let world: RealPods

describe.skipIf(noRealPods)(`the metadata service${noRealPods ? ' (needs Linux and root)' : ''}`, () => {
  beforeAll(async () => {
    world = await realPods()
    await world.buildImage('gcp:v1', GCP)
    await world.buildImage('follow:v1', FOLLOW)
  })
  afterAll(() => world?.close())

  const follow = (path: string, more: object = {}) => ({
    containers: [{ name: 'main', image: 'follow:v1', args: [path] }],
    ...more,
  })

  it.skipIf(!works('curl', '--version'))('answers curl, and each pod with what is its own', async () => {
    const env = [{ name: 'UID_OF_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } }]
    const spec = { containers: [{ name: 'main', image: 'follow:v1', command: ['sh', '-c', SCRIPT], env }] }
    const made = await Promise.all(['curl-a', 'curl-b'].map((name) => world.run(name, spec)))
    for (const { metadata } of made) {
      const { name = '', uid } = metadata
      await world.pod(name, 'ends', ({ status }) => status?.phase === 'Succeeded')
      expect((await world.log(name)).split('\n')).toEqual([
        ...[`name ${name}`, 'without 403', 'forwarded 403', 'flavor Google', `uuid ${uid}`, 'verified 200'],
        ...[expect.stringMatching(/^image sha256:[0-9a-f]{64}$/), 'env .', ''],
      ])
    }
  })

  it('answers the npm package gcp-metadata', async () => {
    const spec = { containers: [{ name: 'main', image: 'gcp:v1' }] }
    await world.run('gcp', spec, { annotations: { 'example.com/color': 'green' } })
    const said = await world.says('gcp', 'done')
    expect(said).toContain('available true\nname gcp\nproject default\nattribute green\n')
    expect(JSON.parse(/^all (.*)$/m.exec(said)?.[1] ?? '')).toMatchObject({ name: 'gcp', image: 'gcp:v1' })
  })

  it('tells a waiting reader of new labels, and one of Services of ready endpoints', async () => {
    await world.run('labels', follow('pod/labels/'), { labels: { step: 'one' } })
    await world.run('services', follow('services/'))
    await world.says('labels', '200 {"step":"one"}')
    await world.cluster.client.patch(pods, 'labels', 'merge', { metadata: { labels: { step: 'two' } } }, { namespace: 'default' })
    await world.says('labels', '200 {"step":"two"}')
    await world.cluster.client.create(services, {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'mine', namespace: 'default' } },
      spec: { selector: { step: 'two' }, ports: [{ port: 80, targetPort: 8080 }] },
    })
    await world.says('services', /"mine":.*"endpoints":\[\{"ip":"[0-9.]+","ready":true.*"podName":"labels"/)
  })

  it('shows the node, but not what is not on the list', async () => {
    const change = { metadata: { labels: { 'topology.kubernetes.io/zone': 'z1', 'internal.example/token': 'hidden' } } }
    await world.cluster.client.patch(nodes, 'skiff', 'merge', change)
    await world.run('node', follow('node/'))
    expect(await world.says('node', '"topology.kubernetes.io/zone":"z1"')).not.toContain('hidden')
    const list = { name: 'skiff-node-fields', namespace: 'kube-system' }
    const allow = "metadata.labels['internal.example/*']"
    await world.cluster.client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: list, data: { allow } })
    expect((await world.says('node', 'hidden')).trim().split('\n').at(-1)).not.toContain('zone')
    await world.cluster.client.delete(configMaps, list.name, { namespace: list.namespace })
  })

  it('is found by a pod of the host network through its environment, by an unguessable path', async () => {
    const container = { name: 'main', image: 'follow:v1' }
    const show = { ...container, command: ['sh', '-c', 'echo $SKIFF_METADATA_URL; exec node app.js pod/'] }
    await world.run('host', { hostNetwork: true, containers: [show] })
    const said = await world.says('host', '"name":"host"')
    const url = said.split('\n')[0] ?? ''
    expect(url).toMatch(/^http:\/\/10\.\d+\.0\.1:\d+\/[0-9a-f]{32}$/)
    const headers = { 'Metadata-Flavor': 'Google' }
    expect((await fetch(`${new URL(url).origin}/computeMetadata/v1/pod/name`, { headers })).status).toBe(404)
    expect(await (await fetch(`${url}/computeMetadata/v1/pod/name`, { headers })).text()).toBe('host')
    await world.cluster.client.delete(pods, 'host', { namespace: 'default', gracePeriodSeconds: 0 })
    await until('the door is closed', async () => (await fetch(`${url}/computeMetadata/v1/pod/name`, { headers })).status === 404)
  })
})
