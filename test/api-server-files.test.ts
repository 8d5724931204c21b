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

async function tokens(text: string) {
  const tokenFile = join(folder, 'tokens.csv')
  writeFileSync(tokenFile, text)
  return (await readApiServerFiles({ tokenFile })).staticTokens
}

describe('a file of bearer tokens', () => {
  it('has a user on each line, with groups where they are given', async () => {
    expect(await tokens('# who\nsecret,jane,42,"dev,ops"\n\nother,joe,\n')).toEqual(
      new Map([
        ['secret', { name: 'jane', uid: '42', groups: ['dev', 'ops'] }],
        ['other', { name: 'joe', groups: [] }],
      ]),
    )
  })

  it('is refused by the line that is wrong', async () => {
    await expect(tokens('a,jane,1\nb\n')).rejects.toThrow(/tokens\.csv:2: a line is token,user,uid/)
    await expect(tokens('a,jane,1\na,joe,2\n')).rejects.toThrow(/tokens\.csv:2: this token stands above already/)
  })
})
