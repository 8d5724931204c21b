/** Describes this host as a node. */
import { readFileSync, statfsSync } from 'node:fs'
import { arch, availableParallelism, platform, release, totalmem } from 'node:os'
import type { RuntimeInfo } from '../runtime.ts'

/** As many as a kubelet takes by default. */
const MAX_PODS = 110
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: '386' }

export function describeHost(
  dataDirectory: string,
  isolation: RuntimeInfo['isolation'],
  notice: string | undefined,
): RuntimeInfo {
  const disk = statfsSync(dataDirectory)
  return {
    version: 'skiff-local://0.1.0',
    isolation,
    ...(notice === undefined ? {} : { notice }),
    operatingSystem: platform(),
    osImage: systemName(),
    kernelVersion: release(),
    architecture: ARCHITECTURES[arch()] ?? arch(),
    capacity: {
      cpuCores: availableParallelism(),
      memoryBytes: totalmem(),
      storageBytes: disk.blocks * disk.bsize,
      pods: MAX_PODS,
    },
  }
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? platform()
  } catch {
    return platform()
  }
}
