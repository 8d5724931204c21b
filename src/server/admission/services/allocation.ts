/**
 * Gives Services their cluster addresses and node ports. It is the last validator, so that only a Service that is otherwise
 * fine takes anything; what is taken follows from the committed Services, so that a deleted one frees its own by being gone.
 */
import { invalid as invalidField } from '../../../api/field-errors.ts'
import type { KubeObject } from '../../../api/object.ts'
import { type FieldError, internalError, invalid } from '../../../api/status.ts'
import type { Service, ServiceSpec } from '../../../api/types.ts'
import type { Clock } from '../../../base/clock.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../contract.ts'
import { isAbout } from '../refusal.ts'
import {
  dropUnneeded,
  isHeadless,
  keepAllocated,
  needsAddress,
  needsHealthPort,
  needsNodePorts,
  pairAddresses,
} from './carry-over.ts'
import { setFamilies } from './families.ts'
import type { Pool } from './pool.ts'
import { type AddressRange, addressRange, type PortRange, portRange } from './ranges.ts'

export interface ServiceAllocationOptions {
  reader: ObjectReader
  clock: Clock
  random: (bytes: number) => Buffer
  signal: AbortSignal
  /** Default 10.96.0.0/16. */
  serviceCidr?: string
  /** Default 30000-32767. */
  nodePorts?: { from: number; to: number }
}

const DEFAULT_CIDR = '10.96.0.0/16'
const DEFAULT_PORTS = { from: 30000, to: 32767 }
const DRY_RUN_PORT = 32768

/** What one request took, to give back if the Service is not written. */
type Taken = { pool: Pool; number: number }[]

interface Ranges {
  addresses: AddressRange
  ports: PortRange
}

export function serviceAllocation(options: ServiceAllocationOptions): AdmissionPlugin {
  const { from, to } = options.nodePorts ?? DEFAULT_PORTS
  const ranges = { addresses: addressRange(options.serviceCidr ?? DEFAULT_CIDR, options), ports: portRange(from, to, options) }
  const follow = (service: KubeObject, change: string) => commit(ranges, service as Service, change === 'deleted')
  for (const service of options.reader.list('', 'services')) follow(service, 'created')
  options.signal.addEventListener('abort', options.reader.watch('', 'services', follow), { once: true })
  const taken = new WeakMap<AdmissionRequest, Taken>()
  return {
    name: 'ServiceAllocation',
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && isAbout(request, '', 'services'),
    mutate({ object, old }) {
      const service = object as Service | undefined
      if (!service?.spec) return
      pairAddresses(service, old as Service | undefined)
      if (!old) return
      keepAllocated(service, old as Service)
      dropUnneeded(service, old as Service)
    },
    validate(request) {
      const service = request.object as Service | undefined
      if (!service?.spec) return
      const allocation = new Allocation(ranges, service, request.dryRun)
      taken.set(request, allocation.taken)
      const errors = allocation.run()
      if (request.dryRun || errors.length > 0) allocation.undo()
      if (errors.length > 0) throw invalid(request.definition, service.metadata.name ?? '', errors)
    },
    release(request) {
      const service = request.object as Service | undefined
      for (const { pool, number } of taken.get(request) ?? []) if (service) pool.giveBack(number, ownerOf(service))
    },
  }
}

function ownerOf({ metadata }: Service): string {
  return `${metadata.namespace}/${metadata.name}`
}

function commit({ addresses, ports }: Ranges, service: Service, gone: boolean): void {
  const spec = gone ? {} : (service.spec ?? {})
  const numbers = <T>(values: readonly (T | undefined)[], numberOf: (value: T) => number | undefined) =>
    values.flatMap((value) => (value === undefined ? [] : (numberOf(value) ?? [])))
  const owner = ownerOf(service)
  const held = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])
  addresses.pool.commit(owner, numbers(held.filter(isAddress), addresses.numberOf))
  ports.pool.commit(
    owner,
    numbers([...(spec.ports ?? []).map((port) => port.nodePort), spec.healthCheckNodePort], ports.numberOf),
  )
}

const isAddress = (text: string) => text !== 'None' && text !== ''

/** One Service's round through the ranges. */
class Allocation {
  readonly taken: Taken = []
  private readonly ranges: Ranges
  private readonly spec: ServiceSpec
  private readonly owner: string
  private readonly dryRun: boolean
  /** Node ports this round has taken. */
  private readonly ports: number[] = []

  constructor(ranges: Ranges, service: Service, dryRun: boolean) {
    this.ranges = ranges
    this.spec = service.spec ?? {}
    this.owner = ownerOf(service)
    this.dryRun = dryRun
  }

  run(): FieldError[] {
    const { spec } = this
    if (!needsAddress(spec)) return []
    const families = setFamilies(spec)
    if (families.length > 0) return families
    const address = this.takeAddress()
    if (address) return [address]
    if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
    const errors = needsNodePorts(spec) || spec.type === 'LoadBalancer' ? this.takeNodePorts() : []
    if (errors.length > 0) return errors
    const health = needsHealthPort(spec) ? this.takeHealthPort() : undefined
    return health ? [health] : []
  }

  undo(): void {
    for (const { pool, number } of this.taken) pool.giveBack(number, this.owner)
    this.taken.length = 0
  }

  private takeAddress(): FieldError | undefined {
    const { spec } = this
    if (isHeadless(spec)) {
      spec.clusterIP = 'None'
      spec.clusterIPs = ['None']
      return undefined
    }
    const { addresses } = this.ranges
    const asked = spec.clusterIPs?.[0] ?? spec.clusterIP
    if (asked) {
      const number = addresses.numberOf(asked)
      const problem =
        number === undefined ? 'the provided network does not match the current range' : this.take(addresses.pool, number)
      return problem ? invalidField('spec.clusterIPs', [asked], `failed to allocate IP ${asked}: ${problem}`) : undefined
    }
    const number = this.takeAny(addresses.pool)
    if (number === undefined) throw this.exhausted('failed to allocate a serviceIP: range is full')
    spec.clusterIP = addresses.addressOf(number)
    spec.clusterIPs = [spec.clusterIP]
    return undefined
  }

  /** One number serves a port of each protocol. */
  private takeNodePorts(): FieldError[] {
    const mine = new Set<number>()
    const list = this.spec.ports ?? []
    for (const [index, port] of list.entries()) {
      if (!port.nodePort || mine.has(port.nodePort)) continue
      const problem = this.takePort(port.nodePort)
      if (problem) return [invalidField(`spec.ports[${index}].nodePort`, port.nodePort, problem)]
      mine.add(port.nodePort)
    }
    if (!needsNodePorts(this.spec)) return []
    for (const port of list) {
      if (port.nodePort) continue
      const sibling = list.find((other) => other.nodePort && other.port === port.port && other.protocol !== port.protocol)
      if (sibling?.nodePort) port.nodePort = sibling.nodePort
      else port.nodePort = this.takeAnyPort('a nodePort')
    }
    return []
  }

  private takeHealthPort(): FieldError | undefined {
    const { spec } = this
    if (spec.healthCheckNodePort) {
      const problem = this.takePort(spec.healthCheckNodePort)
      const what = `failed to allocate requested HealthCheck NodePort ${spec.healthCheckNodePort}: ${problem}`
      return problem ? invalidField('spec.healthCheckNodePort', spec.healthCheckNodePort, what) : undefined
    }
    spec.healthCheckNodePort = this.takeAnyPort('a HealthCheck NodePort')
    return undefined
  }

  private takePort(port: number): string | undefined {
    const { ports } = this.ranges
    const number = ports.numberOf(port)
    if (number === undefined)
      return `provided port is not in the valid range. The range of valid ports is ${ports.from}-${ports.to}`
    if (this.take(ports.pool, number)) return 'provided port is already allocated'
    this.ports.push(port)
    return undefined
  }

  private takeAnyPort(what: string): number {
    const { ports } = this.ranges
    const number = this.dryRun ? this.imaginaryPort() - ports.from : this.takeAny(ports.pool)
    if (number === undefined) throw this.exhausted(`failed to allocate ${what}: range is full`)
    this.ports.push(ports.from + number)
    return ports.from + number
  }

  /** What a dry run shows is a port that no Service will have, as in Kubernetes. */
  private imaginaryPort(): number {
    return (this.ports.length > 0 ? Math.max(...this.ports) : DRY_RUN_PORT) + 1
  }

  /** Answers why it cannot be had. */
  private take(pool: Pool, number: number): string | undefined {
    if (!pool.take(number, this.owner)) return 'provided IP is already allocated'
    this.taken.push({ pool, number })
    return undefined
  }

  private takeAny(pool: Pool): number | undefined {
    const number = pool.takeAny(this.owner)
    if (number !== undefined) this.taken.push({ pool, number })
    return number
  }

  private exhausted(message: string): Error {
    this.undo()
    return internalError(message)
  }
}
