import { describe, expect, it } from 'vitest'
import { difference, parseScript } from './script.ts'

const TEXT = `# What it is about.
# requires: kubectl, git
$ skiff get web
> --no-headers
web   3/3   *   (glob)
...
last \\d+ (re)
2> note for $NS

[3]
~ true
`

describe('an acceptance script', () => {
  it('is commands with what is expected of each', () => {
    const { requires, steps } = parseScript(TEXT)
    expect(requires).toEqual(['kubectl', 'git'])
    expect(steps).toEqual([
      {
        ...{ line: 3, command: 'skiff get web\n--no-headers', repeat: false, code: 3 },
        ...{ stdout: ['web   3/3   *   (glob)', '...', 'last \\d+ (re)'], stderr: ['note for $NS'] },
      },
      { line: 11, command: 'true', repeat: true, stdout: [], stderr: [], code: 0 },
    ])
    expect(() => parseScript('output\n')).toThrow('line 1: no command stands before "output"')
  })

  it('says what differs', () => {
    const [step] = parseScript(TEXT).steps
    const right = { code: 3, out: 'web   3/3   5s old\nany\n\nline\nlast 12\n', err: 'note for here\n' }
    const variables = { NS: 'here' }
    expect(difference(step!, right, variables)).toBeUndefined()
    expect(difference(step!, { ...right, code: 0 }, variables)).toContain('expected [3]')
    expect(difference(step!, { ...right, out: 'web   3/3   5s old\nlast 12' }, variables)).toBeUndefined()
    expect(difference(step!, { ...right, out: 'web   2/3   5s old\nlast 12' }, variables)).toContain('  web   2/3   5s old')
    expect(difference(step!, { ...right, err: 'note for there\n' }, variables)).toContain('2> note for there')
    expect(difference(step!, { ...right, out: `${right.out}more\n` }, variables)).toContain('  more')
  })
})
