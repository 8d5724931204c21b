/** The Service that `--expose` makes. Pure. */
import type { Container, Service } from '../../api/types.ts'
import { CommandError } from '../io.ts'
import { selectorOf } from './pod.ts'

/** `text` is `PORT[:TARGET][/udp]`, or empty for the ports that the containers say. */
export function makeService(
  name: string,
  text: string,
  labels: Record<string, string>,
  containers: readonly Container[],
): Service {
  const said = containers.flatMap(({ ports = [] }) => ports)
  const ports =
    text === ''
      ? said.map(({ containerPort, protocol }) => portOf(containerPort, containerPort, protocol))
      : [parsePort(text, said.length === 1 ? said[0]!.containerPort : undefined)]
  if (ports.length === 0) throw new CommandError('--expose needs a port: --port, or --expose PORT')
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: {
      selector: selectorOf(labels),
      ports: ports.map((port) => (ports.length > 1 ? { name: `port-${port.port}`, ...port } : port)),
    },
  }
}

/** Without a target, the only port that there is, else the same number. */
function parsePort(text: string, only: number | undefined) {
  const match = /^(\d+)(?::(\d+))?(?:\/(tcp|udp))?$/i.exec(text)
  const [port, target] = [Number(match?.[1]), Number(match?.[2] ?? only ?? match?.[1])]
  if (!match || [port, target].some((number) => number < 1 || number > 65_535))
    throw new CommandError(`--expose takes PORT[:TARGET], not ${JSON.stringify(text)}`)
  return portOf(port, target, match[3]?.toUpperCase())
}

function portOf(port: number, targetPort: number, protocol: string | undefined) {
  return { port, targetPort, ...(protocol && protocol !== 'TCP' && { protocol }) }
}
