/** `skiff.dev/requires` as people write it, and what is said of mistakes: each with its line. */
import { describe, expect, it } from 'vitest'
import { parseRequires } from '../../../src/api/requires/parse.ts'

describe('what is understood', () => {
  it('names objects, conditions, selectors and addresses', () => {
    const { requirements, problems } = parseRequires(`
- service/db
- job/migrate: Complete
- pod[app=db,tier in (a,b)]: Ready
- configmap/settings: jsonpath={.data.mode}=on
- tcp://db:5432
- http://auth/healthz
- grpc://db.shop:50051/my.Service
`)
    expect(problems).toEqual([])
    expect(requirements.map(({ target, condition }) => ({ ...target, ...(condition && { condition }) }))).toEqual([
      { type: 'object', kind: 'service', name: 'db' },
      { type: 'object', kind: 'job', name: 'migrate', condition: 'Complete' },
      { type: 'selector', kind: 'pod', selector: 'app=db,tier in (a,b)', condition: 'Ready' },
      { type: 'object', kind: 'configmap', name: 'settings', condition: 'jsonpath={.data.mode}=on' },
      { type: 'probe', scheme: 'tcp', host: 'db', port: 5432, path: '' },
      { type: 'probe', scheme: 'http', host: 'auth', port: 80, path: '/healthz' },
      { type: 'probe', scheme: 'grpc', host: 'db.shop', port: 50051, path: 'my.Service' },
    ])
  })

  it('takes options below a target', () => {
    const text = '- service/db: {timeout: 1m30s, onTimeout: Fail, onLoss: restart, namespace: data, optional: true}\n'
    expect(parseRequires(text).requirements).toEqual([
      {
        text: 'service/db',
        target: { type: 'object', kind: 'service', name: 'db', namespace: 'data' },
        ...{ optional: true, timeoutMs: 90_000, onTimeout: 'Fail', onLoss: 'restart' },
      },
    ])
  })

  it('is nothing when nothing is written', () => {
    expect(parseRequires('')).toEqual({ requirements: [], problems: [] })
    expect(parseRequires('[]')).toEqual({ requirements: [], problems: [] })
  })
})

function bombOf(levels: number): string {
  const line = (level: number) =>
    `- &a${level} [${Array(9)
      .fill(level === 0 ? 'x' : `*a${level - 1}`)
      .join(', ')}]`
  return Array.from({ length: levels }, (_, level) => line(level)).join('\n')
}

describe('what is not', () => {
  it.each([
    ['- service/db\n- nonsense\n', 2, /"nonsense" is not KIND\/NAME/],
    ['- service/db\n\n# a comment\n- tcp://db\n', 4, /the port is missing/],
    ['- tcp://db:99999', 1, /99999 is no port/],
    ['- ftp://db:21', 1, /ftp is not among tcp, http, https, grpc/],
    ['- tcp://db:1/path', 1, /a tcp address has no path/],
    ['- service/db: {timout: 1m}', 1, /there is no option timout; there are condition/],
    ['- service/db: {timeout: soon}', 1, /timeout is a duration such as 30s/],
    ['- service/db: {onTimeout: Fail}', 1, /onTimeout needs a timeout/],
    ['- service/db: {timeout: 1s, onTimeout: Give-up}', 1, /onTimeout is Wait, Proceed|Wait, Fail, Proceed/],
    ['- service/db: {onLoss: panic}', 1, /onLoss is ignore, restart, stop, not "panic"/],
    ['- service/db:\n', 1, /nothing follows the colon/],
    ['- service/db: Ready\n  timeout: 1m\n', 1, /stands beside timeout; options go below it/],
    ['- tcp://db:1: Ready', 1, /an address has no conditions/],
    ['- secret/s: jsonpath={.data.password}=x', 1, /what a secret holds cannot be a condition/],
    ['- pod[app=]: Ready\n- pod[=]', 2, /is no label selector/],
    ['- service/db\n- service/db\n', 2, /is listed twice/],
    ['service: db', 1, /must be a YAML list/],
    ['- a: [', 1, /is not valid YAML/],
    [`- pod/${'a'.repeat(2_000)}`, 1, /a… has 2004 characters; at most 1024 are possible/],
    [`- pod/a: jsonpath={.status.phase}=${'a'.repeat(2_000)}`, 1, /characters; at most 1024 are possible/],
    ['- [service/db]\n- {service/db: [Ready]}\n- {}', 3, /an empty item says nothing/],
    // Nine of nine of nine: shown in full it would fill the memory.
    [bombOf(12), 2, /aliases/],
    [Array.from({ length: 65 }, (_, i) => `- configmap/c${i}`).join('\n'), 1, /has 65 items; at most 64/],
  ])('%j', (text, line, message) => {
    const { problems } = parseRequires(text)
    expect(problems.at(-1)?.message).toMatch(message)
    expect(problems.at(-1)?.line).toBe(line)
  })
})
