/**
 * The network of pods: a bridge (in the host's network namespace for a root agent, in one of its own for a normal user) and
 * a veth pair for each pod. Two clusters on
 * one host have a bridge and an address range each. Knows no containers.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PodNetwork } from '../../../api/pod-network.ts'
import { claimOnHost, type HostClaim } from '../../../base/host-claim.ts'
import { type AddressPool, createAddressPool } from '../simulated/address-pool.ts'

/** Second bytes of 10.x.0.0/16 that are tried when no range was asked for. */
const CANDIDATES = Array.from({ length: 50 }, (_, index) => (index === 0 ? 244 : 195 + index))

export interface BridgeOptions {
  /** Runs `ip` where the bridge is to be. */
  ip: (args: readonly string[], input?: string) => Promise<string>
  reach: 'host' | 'inside'
  /** How sockets are made there. */
  sockets: Pick<PodNetwork, 'connect' | 'listen' | 'bindUdp'>
  clusterId: string
  podCidr: string | undefined
  /**
   * Where agents remember what they made on the host, for the sweep after one was killed. Absent where the network goes
   * with its namespace.
   */
  stateDirectory?: string
  /** Called for every bridge that was swept. */
  swept?: (bridge: string) => void
}

interface Remembered {
  bridge: string
  claimed: string[]
  pid: number
  /** When that process started; pids come back. */
  startedAt: string
}

export class Bridge implements PodNetwork {
  readonly reach: 'host' | 'inside'
  readonly nodeAddress: string
  readonly podCidr: string
  readonly name: string
  private readonly addresses: AddressPool
  private readonly options: BridgeOptions
  private claimed: string[] = []
  private readonly claim: HostClaim | undefined
  readonly connect: PodNetwork['connect']
  readonly listen: PodNetwork['listen']
  readonly bindUdp: PodNetwork['bindUdp']

  private constructor(options: BridgeOptions, podCidr: string, claim: HostClaim | undefined) {
    this.options = options
    this.claim = claim
    this.reach = options.reach
    this.connect = (address, port, signal) => options.sockets.connect(address, port, signal)
    this.listen = (address, port, onConnection) => options.sockets.listen(address, port, onConnection)
    this.bindUdp = (address, port) => options.sockets.bindUdp(address, port)
    this.podCidr = podCidr
    this.name = bridgeName(options.clusterId)
    this.nodeAddress = firstHost(podCidr)
    this.addresses = createAddressPool(podCidr)
  }

  /** Removes what a killed agent of this cluster left, then makes the bridge. */
  static async create(options: BridgeOptions): Promise<Bridge> {
    await sweepDead(options)
    const { cidr, claim } = await claimPodRange(options)
    const bridge = new Bridge(options, cidr, claim)
    bridge.remember()
    try {
      await options.ip(
        ['-batch', '-'],
        `link add ${bridge.name} type bridge
address add ${bridge.nodeAddress}/${cidr.split('/')[1]} dev ${bridge.name}
link set ${bridge.name} up
link set lo up
`,
      )
    } catch (error) {
      await claim?.release()
      throw error
    }
    return bridge
  }

  /** The commands that a pod's sandbox gives to `ip -batch` in its own namespace; `hostPid` is a process of the host's. */
  attachment(hostPid: number, key: string, loopback: readonly string[] = []): { address: string; veth: string; batch: string } {
    const address = this.addresses.take()
    const veth = `sk${createHash('sha256').update(`${this.name} ${key}`).digest('hex').slice(0, 11)}`
    const batch = `link set lo up
${loopback.map((own) => `address add ${own}/32 dev lo\n`).join('')}link add eth0 type veth peer name ${veth} netns ${hostPid}
address add ${address}/${this.podCidr.split('/')[1]} dev eth0
link set eth0 up
route add default via ${this.nodeAddress}
`
    return { address, veth, batch }
  }

  async plug(veth: string): Promise<void> {
    await this.options.ip(['link', 'set', veth, 'master', this.name, 'up'])
  }

  /** The address is given back once its link is gone. */
  async unplug(veth: string, address: string): Promise<void> {
    await this.options.ip(['link', 'delete', veth]).catch(ignoreMissing)
    this.addresses.give(address)
  }

  async claimRange(cidr: string): Promise<void> {
    if (this.claimed.includes(cidr)) return
    await this.options.ip(['route', 'add', 'local', cidr, 'dev', 'lo'])
    this.claimed.push(cidr)
    this.remember()
  }

  async close(): Promise<void> {
    await sweep(this.options, this.state())
    this.claimed = []
    await this.claim?.release()
  }

  private state(): Remembered {
    return { bridge: this.name, claimed: this.claimed, pid: process.pid, startedAt: startOf(process.pid) }
  }

  private remember(): void {
    const { stateDirectory } = this.options
    if (stateDirectory === undefined) return
    mkdirSync(stateDirectory, { recursive: true })
    writeFileSync(join(stateDirectory, `${this.name}.json`), JSON.stringify(this.state()))
  }
}

/** One that nobody else on this host has, nor is about to have; in a network of its own every one is free. */
async function claimPodRange({ podCidr, reach, ip }: BridgeOptions): Promise<{ cidr: string; claim: HostClaim | undefined }> {
  if (podCidr) return { cidr: podCidr, claim: undefined }
  for (const byte of CANDIDATES) {
    const cidr = `10.${byte}.0.0/16`
    const claim = reach === 'host' ? await claimOnHost(`pods/${cidr}`) : undefined
    if (reach === 'host' && !claim) continue
    // Looked at once it is ours: whoever had it before has made its routes by now, or has none.
    if (!(await takenRanges(ip)).some((other) => overlap(cidr, other))) return { cidr, claim }
    await claim?.release()
  }
  throw new Error('every range of pod addresses is in use on this host')
}

export function bridgeName(clusterId: string): string {
  return `skb${createHash('sha256').update(clusterId).digest('hex').slice(0, 8)}`
}

/** Sweeps after all agents on this host that are no more, whichever cluster they had. */
async function sweepDead(options: BridgeOptions): Promise<void> {
  const { stateDirectory, clusterId } = options
  if (stateDirectory === undefined || !existsSync(stateDirectory)) return
  for (const name of readdirSync(stateDirectory)) {
    let state: Remembered
    try {
      state = JSON.parse(readFileSync(join(stateDirectory, name), 'utf8')) as Remembered
    } catch (error) {
      // Its owner is just removing or writing it.
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw error
    }
    if (startOf(state.pid) !== state.startedAt) await sweep(options, state)
    else if (state.bridge === bridgeName(clusterId)) throw new Error(`process ${state.pid} already runs the pods of this cluster`)
  }
}

async function sweep({ ip, stateDirectory, swept }: BridgeOptions, state: Remembered): Promise<void> {
  await ip(['link', 'delete', state.bridge]).catch(ignoreMissing)
  for (const cidr of state.claimed) await ip(['route', 'delete', 'local', cidr, 'dev', 'lo']).catch(ignoreMissing)
  swept?.(state.bridge)
  if (stateDirectory !== undefined) rmSync(join(stateDirectory, `${state.bridge}.json`), { force: true })
}

/** The start time of a process as the kernel counts it, or nothing when there is none. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // One that has ended and that nobody has asked about runs no pods.
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '')
  } catch {
    return ''
  }
}

function ignoreMissing(error: Error): void {
  if (!/Cannot find device|No such process|No such device/.test(error.message)) throw error
}

async function takenRanges(ip: BridgeOptions['ip']): Promise<string[]> {
  const routes = await ip(['-4', 'route', 'show', 'table', 'all'])
  return [...routes.matchAll(/\b(\d+\.\d+\.\d+\.\d+)(\/\d+)?/g)].map(([, base, bits]) => `${base}${bits ?? '/32'}`)
}

function overlap(left: string, right: string): boolean {
  const [a, b] = [span(left), span(right)]
  return a.first <= b.last && b.first <= a.last
}

function span(cidr: string): { first: number; last: number } {
  const [base = '', bits = '32'] = cidr.split('/')
  const first = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  return { first, last: first + 2 ** (32 - Number(bits)) - 1 }
}

function firstHost(cidr: string): string {
  const { first } = span(cidr)
  return [24, 16, 8, 0].map((shift) => Math.floor((first + 1) / 2 ** shift) % 256).join('.')
}
