import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readApiServerFiles } from '../src/api-server-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skiff-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function tokens(text: string) {
  const tokenFile = join(folder, 'tokens.csv')
  writeFileSync(tokenFile, text)
  return readApiServerFiles({ tokenFile }).staticTokens
}

describe('a file of bearer tokens', () => {
  it('has a user on each line, with groups where they are given', () => {
    expect(tokens('# who\nsecret,jane,42,"dev,ops"\n\nother,joe,\n')).toEqual(
      new Map([
        ['secret', { name: 'jane', uid: '42', groups: ['dev', 'ops'] }],
        ['other', { name: 'joe', groups: [] }],
      ]),
    )
  })

  it('is refused by the line that is wrong', () => {
    expect(() => tokens('a,jane,1\nb\n')).toThrow(/tokens\.csv:2: a line is token,user,uid/)
    expect(() => tokens('a,jane,1\na,joe,2\n')).toThrow(/tokens\.csv:2: this token stands above already/)
  })
})
