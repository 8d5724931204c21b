/** Warnings about the ports of a pod's containers, which share one address. */
import { quote } from '../field-errors.ts'
import type { Container, ContainerPort, PodSpec } from '../types.ts'

interface Placed {
  readonly path: string
  readonly port: ContainerPort
}

export function warnOfPorts(spec: PodSpec, path: string, warnings: string[]): void {
  const placed: Placed[] = []
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    const containers = spec[list] as Container[] | undefined
    for (let index = 0; index < (containers?.length ?? 0); index++) {
      containers?.[index]?.ports?.forEach((port, i) => {
        placed.push({ path: `${path}.${list}[${index}].ports[${i}]`, port })
      })
    }
  }
  if (placed.length > 0) warnOfNumbers(placed, warnings)
  if (placed.length > 1) warnOfNames(placed, warnings)
}

function warnOfNumbers(placed: readonly Placed[], warnings: string[]): void {
  const byPort = new Map<string, Placed[]>()
  for (const item of placed) {
    const { port, path } = item
    if (port.hostIP && !port.hostPort) warnings.push(`${path}: hostIP set without hostPort: ${asGo(port)}`)
    const key = `${port.containerPort}/${port.protocol}`
    const others = byPort.get(key)
    if (!others) byPort.set(key, [item])
    else {
      for (const other of others) {
        const problem = conflict(port, other.port)
        if (problem) warnings.push(`${path}: ${problem} port definition with ${other.path}`)
      }
      others.push(item)
    }
  }
}

/** What is odd about two definitions of the same port. */
function conflict(port: ContainerPort, other: ContainerPort): string | undefined {
  const [ip, otherIp] = [port.hostIP ?? '', other.hostIP ?? '']
  const [number, otherNumber] = [port.hostPort ?? 0, other.hostPort ?? 0]
  if (ip === otherIp && number === otherNumber) return 'duplicate'
  if (number === 0 || otherNumber === 0) return 'overlapping'
  return number === otherNumber && (ip === '') !== (otherIp === '') ? 'dangerously ambiguous' : undefined
}

function warnOfNames(placed: readonly Placed[], warnings: string[]): void {
  const names = new Map<string, string>()
  for (const { path, port } of placed) {
    if (!port.name) continue
    const other = names.get(port.name)
    if (other === undefined) names.set(port.name, path)
    else {
      const use = `services and probes that select ports by name will use ${other}`
      warnings.push(`${path}: duplicate port name ${quote(port.name)} with ${other}, ${use}`)
    }
  }
}

function asGo({ name = '', hostPort = 0, containerPort = 0, protocol = '', hostIP = '' }: ContainerPort): string {
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`
}
