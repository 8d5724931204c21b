/** How this host names itself. Absent files, as on other systems, give names derived from the host's. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { NodeDescription } from './node-object.ts'

export function machineIdentity(): NodeDescription['machine'] {
  const machineID = read('/etc/machine-id') || createHash('sha256').update(hostname()).digest('hex').slice(0, 32)
  return {
    machineID,
    systemUUID: read('/sys/class/dmi/id/product_uuid') || machineID,
    bootID: read('/proc/sys/kernel/random/boot_id') || machineID,
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
