/** Limits for containers through the kernel's control groups, version 1 or 2, where this process may make some. */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerConfig } from '../runtime.ts'

type Resources = NonNullable<ContainerConfig['resources']>

export interface Cgroups {
  /** One group for each hierarchy, with the limits in it. Undefined where nothing is limited. */
  make(id: string, resources: Resources | undefined): Cgroup | undefined
  /** Removes all groups of this cluster; their processes have ended. */
  sweep(): void
}

export interface Cgroup {
  /** A process that writes 0 into these is a member. */
  procs: string[]
  oomKilled(): boolean
  remove(): void
}

const ROOT = '/sys/fs/cgroup'
const CONTROLLERS = ['memory', 'cpu', 'pids']

/** `name` is the cluster's own directory. Undefined where groups cannot be made. */
export function openCgroups(name: string): Cgroups | undefined {
  const unified = existsSync(join(ROOT, 'cgroup.controllers'))
  const hierarchies = unified ? [ROOT] : CONTROLLERS.map((controller) => join(ROOT, controller))
  const parents = hierarchies.map((hierarchy) => join(hierarchy, name))
  try {
    for (const hierarchy of hierarchies) accessSync(join(hierarchy, 'cgroup.procs'), constants.W_OK)
    for (const parent of parents) mkdirSync(parent, { recursive: true })
    if (unified) {
      const enable = CONTROLLERS.map((controller) => `+${controller}`).join(' ')
      for (const directory of [ROOT, ...parents]) writeFileSync(join(directory, 'cgroup.subtree_control'), enable)
    }
  } catch {
    // Read-only, not mounted, or owned by somebody else; the caller says that limits are not kept.
    for (const parent of parents) removeGroup(parent)
    return undefined
  }
  return {
    make(id, resources) {
      const settings = unified ? settingsV2(resources ?? {}) : settingsV1(resources ?? {})
      if (settings.length === 0) return undefined
      const directories = parents.map((parent) => join(parent, id))
      for (const directory of directories) mkdirSync(directory, { recursive: true })
      for (const [file, value] of settings) {
        const directory = unified ? directories[0] : directories[CONTROLLERS.indexOf(file.split('.')[0] ?? '')]
        if (directory && existsSync(join(directory, file))) writeFileSync(join(directory, file), value)
      }
      const events = join(directories[0] ?? '', unified ? 'memory.events' : 'memory.oom_control')
      return {
        procs: directories.map((directory) => join(directory, 'cgroup.procs')),
        oomKilled: () => Number(/^oom_kill (\d+)/m.exec(readFileSync(events, 'utf8'))?.[1] ?? 0) > 0,
        remove: () => directories.forEach(removeGroup),
      }
    },
    sweep() {
      for (const parent of parents) {
        if (!existsSync(parent)) continue
        for (const entry of readdirSync(parent, { withFileTypes: true }))
          if (entry.isDirectory()) removeGroup(join(parent, entry.name))
        removeGroup(parent)
      }
    },
  }
}

function settingsV1({ memoryLimitBytes, cpuShares, cpuQuotaMs, pidsLimit }: Resources): [string, string][] {
  const settings: [string, string][] = []
  if (memoryLimitBytes) {
    settings.push(['memory.limit_in_bytes', String(memoryLimitBytes)])
    // Without this, what is over the limit would be swapped.
    settings.push(['memory.memsw.limit_in_bytes', String(memoryLimitBytes)])
  }
  if (cpuShares) settings.push(['cpu.shares', String(Math.max(2, cpuShares))])
  if (cpuQuotaMs) {
    settings.push(['cpu.cfs_period_us', String(Math.round(cpuQuotaMs.period * 1000))])
    settings.push(['cpu.cfs_quota_us', String(Math.round(cpuQuotaMs.quota * 1000))])
  }
  if (pidsLimit) settings.push(['pids.max', String(pidsLimit)])
  return settings
}

function settingsV2({ memoryLimitBytes, cpuShares, cpuQuotaMs, pidsLimit }: Resources): [string, string][] {
  const settings: [string, string][] = []
  if (memoryLimitBytes) settings.push(['memory.max', String(memoryLimitBytes)], ['memory.swap.max', '0'])
  // Shares run from 2 to 262144, weights from 1 to 10000.
  if (cpuShares) settings.push(['cpu.weight', String(1 + Math.floor(((Math.max(2, cpuShares) - 2) * 9999) / 262142))])
  if (cpuQuotaMs) settings.push(['cpu.max', `${Math.round(cpuQuotaMs.quota * 1000)} ${Math.round(cpuQuotaMs.period * 1000)}`])
  if (pidsLimit) settings.push(['pids.max', String(pidsLimit)])
  return settings
}

function removeGroup(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A group whose last process is just ending is removed with the cluster's.
    if (code !== 'ENOENT' && code !== 'EBUSY') throw error
  }
}
