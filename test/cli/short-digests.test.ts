import { expect, it } from 'vitest'
import { shortDigests } from '../../src/cli/short-digests.ts'

it('cuts what is a digest, and nothing else', () => {
  const digits = '0123456789abcdef'.repeat(4)
  expect(shortDigests(`a@sha256:${digits} → b:v2@sha256:${digits},c:v1`)).toBe(
    'a@sha256:0123456789ab… → b:v2@sha256:0123456789ab…,c:v1',
  )
  expect(shortDigests(`sha256:${digits}0 and sha256:0123`)).toBe(`sha256:${digits}0 and sha256:0123`)
})
