/** Limits for containers through the kernel's control groups, version 1 or 2, where this process may make some. */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerConfig } from '../runtime.ts'
import type { ProcessUsage } from './running-process.ts'

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
  /** What its processes use and have used; what the kernel does not account for is left out. */
  usage(): Partial<ProcessUsage>
  remove(): void
}

const ROOT = '/sys/fs/cgroup'
const CONTROLLERS = ['memory', 'cpu', 'pids']
/** In version 1 the time that is used is counted by a controller of its own, where there is one. */
const ACCOUNTING = 'cpuacct'

/** `name` is the cluster's own directory. Undefined where groups cannot be made. */
export function openCgroups(name: string): Cgroups | undefined {
  const unified = existsSync(join(ROOT, 'cgroup.controllers'))
  const controllers = existsSync(join(ROOT, ACCOUNTING)) ? [...CONTROLLERS, ACCOUNTING] : CONTROLLERS
  const hierarchies = unified ? [ROOT] : controllers.map((controller) => join(ROOT, controller))
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
        usage: () => (unified ? usageV2(directories[0] ?? '') : usageV1(directories)),
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

function usageV1(directories: readonly string[]): Partial<ProcessUsage> {
  const [memory = ''] = directories
  const accounting = directories[CONTROLLERS.length]
  const time = accounting === undefined ? undefined : read(join(accounting, 'cpuacct.usage'))
  return { ...(time && { cpuNanoSeconds: Number(time) }), ...workingSet(memory, 'memory.usage_in_bytes', 'total_inactive_file') }
}

function usageV2(directory: string): Partial<ProcessUsage> {
  const micros = /^usage_usec (\d+)/m.exec(read(join(directory, 'cpu.stat')) ?? '')?.[1]
  return { ...(micros && { cpuNanoSeconds: Number(micros) * 1000 }), ...workingSet(directory, 'memory.current', 'inactive_file') }
}

/** As kubelets reckon it: all memory but the files that were not read for a while. */
function workingSet(directory: string, file: string, inactive: string): { memoryBytes?: number } {
  const used = read(join(directory, file))
  if (used === undefined) return {}
  const idle = new RegExp(`^${inactive} (\\d+)`, 'm').exec(read(join(directory, 'memory.stat')) ?? '')?.[1] ?? 0
  return { memoryBytes: Math.max(0, Number(used) - Number(idle)) }
}

/** Undefined for what the kernel lacks, or the container has taken along with its end. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
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
