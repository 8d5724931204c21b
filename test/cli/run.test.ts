import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DetachKeys } from '../../src/cli/detach-keys.ts'
import { wholeLines } from '../../src/cli/log-lines.ts'
import { overlap } from '../../src/cli/overlap.ts'
import { planRun } from '../../src/cli/run/plan.ts'
import { readRunWords } from '../../src/cli/run.ts'

const plan = (text: string, env: NodeJS.ProcessEnv = {}) =>
  planRun(readRunWords(text.split(' ')), { namespace: 'default', env, random: () => 0 })
const podOf = (text: string, env?: NodeJS.ProcessEnv) => {
  const { object, as } = plan(text, env)
  return as === 'pod' ? object : object.spec.template
}
const containersOf = (text: string, env?: NodeJS.ProcessEnv) => podOf(text, env).spec.containers

describe('run decides', () => {
  it.each([
    ['w --image x', 'deployment', false],
    ['w --image x -- true', 'pod', true],
    ['w --image x --forever -- true', 'deployment', false],
    ['w --image x --replicas 2 -- true', 'deployment', false],
    ['w --image x --as rc -- true', 'rc', false],
    ['w --image x --as pod', 'pod', false],
    ['w --image x --as pod --once', 'pod', true],
    ['w --image x --as job', 'job', true],
    ['w --image x -it', 'pod', true],
    ['w --image x --rm', 'job', true],
    ['w --image x --restart on-failure', 'pod', true],
    ['w --image x --restart on-failure:3', 'job', true],
    ['w --image x --restart always', 'deployment', false],
  ])('%s: as a %s', (text, as, once) => {
    expect(plan(text)).toMatchObject({ as, once })
  })

  it.each([
    ['w --image x --once --forever', '--once and --forever contradict each other'],
    ['w --image x --once --as rc', '--once and --as rc contradict each other'],
    ['w --image x -it --replicas 2', '-i or -t and --replicas contradict each other'],
    ['w --image x --replicas 2 --as pod', '--once|--replicas does not go with a pod'],
    ['w --image x --rm --as pod', '--rm does not go with --as pod'],
    ['w --image x --detach -i', '--detach does not go with -i or -t'],
    ['w --image x --as thing', '--as thing is not supported'],
    ['w -e A=1', '-e A=1 has no container: --image is missing'],
    ['w -- ls', '--image is missing'],
    ['a b --image x', 'two names for one thing: a, b'],
    ['a --name b --image x', 'two names for one thing: a, b'],
    ['w --image x --name a --name b', 'one container cannot have two names: a, b'],
    ['w --image x --name a --- --image y --name a', 'two containers are named a'],
    ['w --image x --- -e A=1', '-e A=1 has no container: it stands before the --image of its group'],
    ['w --image x ---', 'the group after --- number 1 has no --image'],
    ['w -p 80 --image x --image y', '-p 80 has no container'],
    ['w --image x+y -p 80', '-p 80 has no container: x+y are several'],
    ['w --image x+y -- ls', 'the arguments after -- have no container'],
    ['w --image x -p 80 --- --image y -p 80', 'port 80 is given to x and to y, which share an address'],
    ['w --image x -i --- --image y -t', '-i or -t for both x and y'],
    ['w --image x --cpu 1 --cpu 2', '--cpu 1 and --cpu 2: --cpu can be given once'],
    ['w --image x --expose', '--expose needs a port'],
    ['w --image x --env', '--env needs a value'],
    ['w --image x -e =1', '--env takes NAME=VALUE or NAME'],
    ['w --image x --replica 1', 'did you mean --replicas?'],
    ['w --image x -z', 'unknown flag -z'],
    ['w --image x --rm=1', '--rm takes no value'],
    ['w --image x -m lots', '--memory takes an amount'],
    ['w --image x -v a:b:c:d', '--volume a:b:c:d is not understood'],
    ['w --image x -v data', 'must begin with /'],
    ['w --image x --mount type=bind,target=/x', 'type=bind needs source='],
    ['w --image x --mount type=disk,target=/x', 'type=disk is not known'],
    ['w --image x --restart sometimes', '--restart takes no, on-failure[:COUNT] or always'],
    ['w --image x --network bridge', '--network bridge is not supported'],
  ])('%s: refused', (text, message) => {
    expect(() => plan(text)).toThrow(
      new RegExp(
        message
          .split('|')
          .map((part) => part.replaceAll(/[[\]+.?()]/g, '\\$&'))
          .join('|'),
      ),
    )
  })
})

describe('run makes', () => {
  it('a container in the words of docker', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'skiff-run-')), 'env')
    writeFileSync(file, '# comment\nA=file\nB="quoted"\nOWN\n\nABSENT\n')
    const text = `w --image x:1 -e A=b=c -e OWN --env-file ${file} -p 8080:80 -p 53/udp -u 1000:7 -w /app --cpu 0.5 -m 512m --pull missing --privileged --read-only --cap-drop ALL --entrypoint /bin/it -- one two`
    expect(containersOf(text, { OWN: 'mine' })).toEqual([
      {
        ...{
          name: 'w',
          image: 'x:1',
          command: ['/bin/it'],
          args: ['one', 'two'],
          workingDir: '/app',
          imagePullPolicy: 'IfNotPresent',
        },
        ports: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 53, protocol: 'UDP' },
        ],
        env: [
          { name: 'A', value: 'b=c' },
          { name: 'B', value: '"quoted"' },
          { name: 'OWN', value: 'mine' },
        ],
        resources: { limits: { cpu: '0.5', memory: '512Mi' } },
        securityContext: {
          ...{ runAsUser: 1000, runAsGroup: 7, privileged: true, readOnlyRootFilesystem: true },
          capabilities: { drop: ['ALL'] },
        },
      },
    ])
  })

  it('groups that share what stands before the first image', () => {
    const { spec } = podOf(
      'w -e A=1 -v /shared --image reg/a:1 -p 80 -e A=2 -- serve --now --- --image b -v data:/d:ro --mount type=secret,src=s,dst=/s',
    )
    const shared = { name: 'empty-shared', mountPath: '/shared' }
    expect(spec.containers).toEqual([
      {
        name: 'a',
        image: 'reg/a:1',
        args: ['serve', '--now'],
        ports: [{ containerPort: 80 }],
        env: [{ name: 'A', value: '2' }],
        volumeMounts: [shared],
      },
      {
        ...{ name: 'b', image: 'b', env: [{ name: 'A', value: '1' }] },
        volumeMounts: [shared, { name: 'claim-data', mountPath: '/d', readOnly: true }, { name: 'secret-s', mountPath: '/s' }],
      },
    ])
    expect(spec.volumes).toEqual([
      { name: 'empty-shared', emptyDir: {} },
      { name: 'claim-data', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'secret-s', secret: { secretName: 's' } },
    ])
    expect(
      containersOf('w --image a+reg/a+b -e A=1').map(({ name, env }: { name: string; env: object[] }) => [name, env.length]),
    ).toEqual([
      ['a', 1],
      ['a-2', 1],
      ['b', 1],
    ])
  })

  it('the whole: labels, host name, a name where none is given, a Service', () => {
    const { object, service, name } = plan('--image reg/web:1 -p 8080 --expose 80 -l tier=front -l app=shop --hostname h --as rc')
    expect(name).toBe('web-bbbbb')
    const selector = { app: 'shop', 'skiff.dev/run': 'web-bbbbb' }
    expect(object.spec).toMatchObject({
      selector,
      template: { metadata: { labels: { ...selector, tier: 'front' } }, spec: { hostname: 'h' } },
    })
    expect(service?.spec).toEqual({ selector, ports: [{ port: 80, targetPort: 8080 }] })
    expect(plan('w --image a -p 1 --- --image b -p 2/udp --expose').service?.spec?.ports).toEqual([
      { name: 'port-1', port: 1, targetPort: 1 },
      { name: 'port-2', port: 2, targetPort: 2, protocol: 'UDP' },
    ])
  })

  it('what is attached, held until it is', () => {
    const held = { annotations: { 'skiff.dev/start-when-attached': 'w' } }
    expect(podOf('w --image x -i')).toMatchObject({
      metadata: held,
      spec: { restartPolicy: 'Never', containers: [{ stdin: true, stdinOnce: true }] },
    })
    expect(containersOf('w --image x -it')[0]).not.toHaveProperty('stdinOnce')
    expect(plan('w --image x -it --rm').object.spec).toMatchObject({
      backoffLimit: 0,
      ttlSecondsAfterFinished: 30,
      template: { metadata: held },
    })
    expect(plan('-it w --image x --- --image y')).toMatchObject({
      attached: { name: 'x', stdin: true, tty: true },
      containers: ['x', 'y'],
    })
  })
})

describe('the ends of an attachment', () => {
  it('ctrl-p ctrl-q leaves, and nothing else does', () => {
    let left = 0
    const keys = new DetachKeys(() => {
      left++
    })
    const pass = (...bytes: number[]) => [...keys.pass(Buffer.from(bytes))]
    expect(pass(1, 0x10)).toEqual([1])
    expect(pass(2)).toEqual([0x10, 2])
    expect(pass(0x10, 0x10, 3)).toEqual([0x10, 0x10, 3])
    expect(left).toBe(0)
    expect(pass(4, 0x10, 0x11, 5)).toEqual([4])
    expect(left).toBe(1)
  })

  it('what the log and the stream both have is found', () => {
    const of = (log: string, stream: string) => overlap(Buffer.from(log), Buffer.from(stream))
    expect(of('hello ', 'world')).toBe(0)
    expect(of('hello wor', 'world')).toBe(3)
    expect(of('hello world', 'world')).toBe(5)
    expect(of('abab', 'abab')).toBe(4)
    expect(of('xabab', 'ababc')).toBe(4)
    expect(of('aaa', 'aaaa')).toBe(3)
    expect(of('', 'a')).toBe(0)
    expect(of('a', '')).toBe(0)
  })

  it('lines stay whole', async () => {
    async function* chunks() {
      for (const text of ['a', 'b\nc\n\nd', 'e']) yield Buffer.from(text)
    }
    const lines: string[] = []
    for await (const line of wholeLines(chunks())) lines.push(line.toString())
    expect(lines).toEqual(['ab\n', 'c\n', '\n', 'de\n'])
  })
})
