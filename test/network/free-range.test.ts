import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { addressIn, type ClaimedRange, claimServiceRange } from '../../src/network/free-range.ts'

describe.skipIf(process.platform !== 'linux')('ranges of Service addresses (claims are abstract sockets of Linux)', () => {
  it('are different for all who ask at the same moment, and free again once released', async () => {
    const claims = await Promise.all(Array.from({ length: 4 }, () => claimServiceRange()))
    try {
      expect(new Set(claims.map(({ range }) => range)).size).toBe(4)
      for (const { range } of claims) expect(range).toMatch(/^10\.\d+\.0\.0\/16$/)
    } finally {
      await Promise.all(claims.map((claim) => claim.release()))
    }
    const [first] = claims
    const again = await claimServiceRange(first!.range)
    expect(again.range).toBe(first!.range)
    await again.release()
  })

  it('are given back by a process that is killed', async () => {
    const source = fileURLToPath(new URL('../../src/network/free-range.ts', import.meta.url))
    const script = `
      import { claimServiceRange } from ${JSON.stringify(source)}
      const { range } = await claimServiceRange()
      console.log(range)
      setInterval(() => {}, 1000)
    `
    const holder = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = (await once(holder.stdout, 'data')) as [Buffer]
    const held = said.toString().trim()
    const own: ClaimedRange[] = [await claimServiceRange()]
    try {
      expect(own[0]!.range).not.toBe(held)
      // Nobody routes that range, so whoever must have it may, but it is not given to anybody who can take another.
      own.push(await claimServiceRange(held))
      holder.kill('SIGKILL')
      await once(holder, 'exit')
      own.push(await claimServiceRange())
      expect(own[2]!.range).not.toBe(own[0]!.range)
    } finally {
      holder.kill('SIGKILL')
      await Promise.all(own.map((claim) => claim.release()))
    }
  })

  it('that are routed on this host are refused to who must have just that one', async () => {
    // All of 127/8 is local, as a routed range is.
    const holder = await claimServiceRange('127.0.0.0/16')
    try {
      expect(addressIn(holder.range, 10)).toBe('127.0.0.10')
      await expect(claimServiceRange('127.0.0.0/16')).rejects.toThrow(
        'the Service addresses of this cluster, 127.0.0.0/16, are in use by another cluster on this host',
      )
    } finally {
      await holder.release()
    }
  })
})
