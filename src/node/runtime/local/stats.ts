/** What processes and the whole machine use: of a control group where there is one, else from /proc. */
import { readFileSync } from 'node:fs'
import { cpus, freemem, totalmem, uptime } from 'node:os'
import type { HostStats } from '../runtime.ts'
import { childrenOf, type ProcessUsage, type RunningProcess } from './running-process.ts'

const TICK_NANOSECONDS = 10_000_000
const MILLISECOND_NANOSECONDS = 1_000_000
const PAGE_BYTES = 4096

export function sampleUsage(running: RunningProcess): ProcessUsage {
  const accounted = running.accounted()
  const { cpuNanoSeconds, memoryBytes } = accounted
  if (cpuNanoSeconds !== undefined && memoryBytes !== undefined) return { cpuNanoSeconds, memoryBytes }
  return { ...processUsage(running.child.pid ?? 0), ...accounted }
}

/**
 * The sum over a process and its descendants. The time of those that have ended is their parents', as soon as these have waited for them.
 * Memory is resident memory, so that pages shared by several of them count several times.
 */
function processUsage(pid: number): ProcessUsage {
  const usage = { cpuNanoSeconds: 0, memoryBytes: 0 }
  for (const pids = [pid]; pids.length > 0; ) {
    const next = pids.pop() as number
    pids.push(...childrenOf(next))
    try {
      const stat = readFileSync(`/proc/${next}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      // utime, stime, and both of the children that were waited for.
      for (const field of fields.slice(11, 15)) usage.cpuNanoSeconds += Number(field) * TICK_NANOSECONDS
      usage.memoryBytes += Number(fields[21]) * PAGE_BYTES
    } catch {
      // It ended between being listed and being read.
    }
  }
  return usage
}

/** The machine as Node knows it, on every system. */
export function hostUsage(nowMs: number): HostStats {
  let milliseconds = 0
  for (const { times } of cpus()) milliseconds += times.user + times.nice + times.sys + times.irq
  const available = freemem()
  return {
    timestampMs: nowMs,
    startedAtMs: nowMs - Math.round(uptime() * 1000),
    cpuNanoSeconds: milliseconds * MILLISECOND_NANOSECONDS,
    memoryBytes: totalmem() - available,
    memoryAvailableBytes: available,
  }
}
