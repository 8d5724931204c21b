/** Stock kubectl against the server alone: no controllers, no node. Runs where kubectl is on the PATH. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer } from '../server/start-server.ts'
import { createProcessNode } from '../server/streams/process-node.ts'

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0

interface Result {
  code: number
  out: string
  err: string
}

let server: TestServer
let directory: string
let kubeconfig: string

beforeAll(async () => {
  server = await startServer()
  server.server.connectNode('n', createProcessNode())
  const { url } = await server.server.listen({ host: '127.0.0.1', port: 0 })
  const { certificate, key } = await server.server.issueClientCertificate('admin', ['system:masters'])
  directory = mkdtempSync(join(tmpdir(), 'skiff-kubectl-'))
  kubeconfig = join(directory, 'kubeconfig')
  const encode = (text: string) => Buffer.from(text).toString('base64')
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': encode(server.server.caCertificate) } }],
    users: [{ name: 'test', user: { 'client-certificate-data': encode(certificate), 'client-key-data': encode(key) } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  }
  writeFileSync(kubeconfig, JSON.stringify(config))
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', account)
})

afterAll(async () => {
  await server.close()
  rmSync(directory, { recursive: true, force: true })
})

function kubectl(args: string[], input = '', env: Record<string, string> = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(directory, 'cache'), ...env } }
    const child = spawn('kubectl', args, options)
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? -1, out, err }))
    child.stdin.end(input)
  })
}

/** The output of a command that must succeed. */
async function run(line: string, input?: string): Promise<string> {
  const { code, out, err } = await kubectl(line.split(' '), input)
  expect(`${code} ${code === 0 ? '' : err}`.trim()).toBe('0')
  return out
}

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {a: "1"}\n'

describe.skipIf(!hasKubectl)('stock kubectl', () => {
  it('creates a deployment, shows, changes and deletes it', async () => {
    await run('create deployment web --image=web:1 --replicas=2')
    expect(await run('get deployments')).toMatch(/NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/2/)
    expect(await run('get deploy web -o wide')).toContain('web:1')
    expect(await run('get deploy -o name')).toBe('deployment.apps/web\n')
    await run('scale deployment web --replicas=3')
    await run('set image deployment/web web=web:2')
    expect(await run('get deploy web -o jsonpath={.spec.replicas}{.spec.template.spec.containers[0].image}')).toBe('3web:2')
    await run('label deployment web tier=front')
    await run('annotate deployment web note=here')
    expect(await run('get deploy -l tier=front -o name')).toBe('deployment.apps/web\n')
    await run('expose deployment web --port=80')
    expect(await run('get service web')).toMatch(/web +ClusterIP +10\.96\./)
    expect(await run('describe deployment web')).toContain('Replicas:               3 desired')
    await run('patch deployment web -p {"spec":{"replicas":1}}')
    await run('delete deployment,service web')
    expect((await kubectl(['get', 'deployment', 'web'])).err).toContain('NotFound')
  })

  it('applies again and again, on the client and on the server', async () => {
    expect(await run('apply -f -', CONFIG_MAP)).toBe('configmap/applied created\n')
    expect(await run('apply -f -', CONFIG_MAP)).toBe('configmap/applied unchanged\n')
    const changed = CONFIG_MAP.replace('"1"', '"2"')
    expect((await kubectl(['diff', '-f', '-'], changed)).out).toContain('+  a: "2"')
    expect(await run('apply -f -', changed)).toBe('configmap/applied configured\n')
    expect(await run('apply --server-side --force-conflicts -f -', CONFIG_MAP)).toBe('configmap/applied serverside-applied\n')
    expect(await run('get configmap applied -o jsonpath={.data.a}')).toBe('1')
    expect(await run('delete -f -', CONFIG_MAP)).toBe('configmap "applied" deleted\n')
  })

  it('edits', async () => {
    await run('create configmap edited --from-literal=a=before')
    const editor = join(directory, 'editor.sh')
    writeFileSync(editor, '#!/bin/sh\nsed -i s/before/after/ "$1"\n', { mode: 0o755 })
    expect((await kubectl(['edit', 'configmap', 'edited'], '', { KUBE_EDITOR: editor })).out).toBe('configmap/edited edited\n')
    expect(await run('get configmap edited -o jsonpath={.data.a}')).toBe('after')
  })

  it('refuses a manifest with an unknown field, naming it', async () => {
    const { code, err } = await kubectl(['apply', '-f', '-'], `${CONFIG_MAP}bogus: 1\n`)
    expect(code).toBe(1)
    expect(err).toContain('unknown field "bogus"')
  })

  it('watches', async () => {
    const watching = spawn('kubectl', ['get', 'configmaps', '-w', '-o', 'name'], {
      env: { ...process.env, KUBECONFIG: kubeconfig },
    })
    let created = false
    const seen = new Promise<void>((resolve) => {
      let text = ''
      watching.stdout.on('data', (chunk) => {
        text += chunk
        if (!created && text.includes('configmap/edited')) {
          created = true
          void run('create configmap watched')
        }
        if (text.includes('configmap/watched')) resolve()
      })
    })
    await seen
    watching.kill()
  })

  it('explains, and knows what there is and what is allowed', async () => {
    expect(await run('api-resources')).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/)
    expect(await run('explain deployment.spec.replicas')).toContain('FIELD: replicas <integer>')
    expect(await run('auth can-i create pods')).toBe('yes\n')
    expect((await kubectl(['auth', 'can-i', 'create', 'pods', '--as', 'nobody'])).out).toBe('no\n')
    expect((await run('create token default')).split('.')).toHaveLength(3)
  })

  it.each([
    ['WebSocket', 'true'],
    ['SPDY', 'false'],
  ])('runs commands and forwards ports over %s', async (_name, webSockets) => {
    const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: webSockets, KUBECTL_PORT_FORWARD_WEBSOCKETS: webSockets }
    const name = `p-${webSockets}`
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
    }
    await run('apply -f -', JSON.stringify(pod))
    await run(`patch pod ${name} --subresource=status -p {"status":{"phase":"Running"}}`)
    expect(await run(`logs ${name}`)).toBe('one\ntwo\n')
    const result = await kubectl(['exec', '-i', name, '--', 'sh', '-c', 'cat; echo err >&2; exit 3'], 'in and out', env)
    expect(result).toMatchObject({ code: 3, out: 'in and out', err: expect.stringContaining('err\n') })
    const large = 'x'.repeat(2_000_000)
    expect((await kubectl(['exec', '-i', name, '--', 'cat'], large, env)).out).toHaveLength(large.length)
    await forwards(name, env)
  })
})

async function forwards(pod: string, env: Record<string, string>): Promise<void> {
  const target = createServer((_request, response) => response.end('x'.repeat(500_000))).listen(0, '127.0.0.1')
  await new Promise((resolve) => target.once('listening', resolve))
  const { port } = target.address() as { port: number }
  const forward = spawn('kubectl', ['port-forward', `pod/${pod}`, `:${port}`], {
    env: { ...process.env, KUBECONFIG: kubeconfig, ...env },
  })
  const local = await new Promise<string>((resolve) => {
    forward.stdout.on('data', (chunk) => {
      const found = /127\.0\.0\.1:(\d+)/.exec(String(chunk))?.[1]
      if (found) resolve(found)
    })
  })
  const answers = await Promise.all(Array.from({ length: 8 }, async () => (await fetch(`http://127.0.0.1:${local}/`)).text()))
  expect(answers.map((text) => text.length)).toEqual(Array.from({ length: 8 }, () => 500_000))
  forward.kill()
  target.close()
}
