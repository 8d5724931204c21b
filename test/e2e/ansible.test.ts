/** The Ansible module, in playbooks that ansible-playbook really runs against a cluster. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { ROOT, run } from './support/skiff.ts'

const CONTRIB = join(ROOT, 'contrib/ansible')
const SKIFF = join(ROOT, 'bin/skiff')

const hasAnsible = (() => {
  try {
    execFileSync('ansible-playbook', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

// Each task is a Python process, and most of them start skiff two or three times.
describe.skipIf(!hasAnsible)('skiff_roll (needs ansible-core)', { timeout: 300_000 }, () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = testCluster()
    const { code, err } = await cluster.up('--in-memory', '--runtime', 'simulated')
    expect({ code, err }).toMatchObject({ code: 0 })
    const made = await cluster.skiff('run', 'web', '--image', 'web:v1', '--replicas', '2')
    expect(made.code, made.err).toBe(0)
  })
  afterAll(async () => {
    await cluster.down()
    cluster.remove()
  })

  const ansible = (program: string, args: readonly string[]) =>
    run(program, args, {
      ...{ ...cluster.env, ANSIBLE_LIBRARY: join(CONTRIB, 'library'), ANSIBLE_LOCALHOST_WARNING: 'false' },
      ...{
        ANSIBLE_HOME: join(cluster.directory, 'ansible'),
        ANSIBLE_NOCOLOR: '1',
        ANSIBLE_LOCAL_TEMP: join(cluster.directory, 'tmp'),
      },
      PATH: `${join(ROOT, 'bin')}:${process.env.PATH}`,
    })

  it('keeps what it promises: check mode, diff, changed, failures', async () => {
    const manifest = join(cluster.directory, 'web.json')
    const current = JSON.parse(await cluster.ok('get deploy web -o json'))
    current.spec.template.spec.containers[0].image = 'web:v3'
    writeFileSync(manifest, JSON.stringify(current))
    const playbook = join(ROOT, 'test/e2e/ansible/playbook.yml')
    const { code, out, err } = await ansible('ansible-playbook', [playbook, '-e', `skiff=${SKIFF}`, '-e', `manifest=${manifest}`])
    expect(code, out + err).toBe(0)
    expect(await cluster.ok(['get', 'deploy', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).toBe('web:v3')
  })

  it('runs in the playbook that ships with it', async () => {
    const args = [join(CONTRIB, 'roll.yml'), '-e', 'workload=deployment/web', '-e', 'image=web:v5']
    const planned = await ansible('ansible-playbook', [...args, '--check', '--diff'])
    expect(planned.code, planned.out + planned.err).toBe(0)
    expect(planned.out).toContain('-web: web:v3\n+web: web:v5\n')
    const rolled = await ansible('ansible-playbook', args)
    expect(rolled.code, rolled.out + rolled.err).toBe(0)
    expect(rolled.out).toMatch(/changed=1\s/)
    expect(await cluster.ok(['get', 'deploy', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).toBe('web:v5')
  })

  it('has documentation that ansible-doc prints', async () => {
    const { code, out, err } = await ansible('ansible-doc', ['-t', 'module', 'skiff_roll'])
    expect(code, err).toBe(0)
    expect(out).toContain('rollback_on_failure')
    expect(out).toContain('Roll web to version 2')
  })
})
