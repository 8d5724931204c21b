/** This process among the drivers of rolls: how a lease names it, and whether another one of this machine has ended. */
import { hostname } from 'node:os'
import type { Host } from '../cli/host.ts'

export function thisDriver(): ReturnType<Host['driver']> {
  const host = hostname()
  return {
    name: `${host}/${process.pid}`,
    isGone(name) {
      const [where, pid = ''] = name.split('/')
      return where === host && /^[0-9]+$/.test(pid) && !isRunning(Number(pid))
    },
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
