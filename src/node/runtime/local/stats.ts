/** What a process and its descendants use, from /proc. */
import { readFileSync } from 'node:fs'
import { childrenOf } from './running-process.ts'

const TICK_NANOSECONDS = 10_000_000
const PAGE_BYTES = 4096

/** Processes that have ended are not counted. */
export function sampleUsage(pid: number): { cpuNanoSeconds: number; memoryBytes: number } {
  const usage = { cpuNanoSeconds: 0, memoryBytes: 0 }
  for (const pids = [pid]; pids.length > 0; ) {
    const next = pids.pop() as number
    pids.push(...childrenOf(next))
    try {
      const stat = readFileSync(`/proc/${next}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      usage.cpuNanoSeconds += (Number(fields[11]) + Number(fields[12])) * TICK_NANOSECONDS
      usage.memoryBytes += Number(fields[21]) * PAGE_BYTES
    } catch {
      // It ended between being listed and being read.
    }
  }
  return usage
}
