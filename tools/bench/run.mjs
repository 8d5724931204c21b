/**
 * `npm run bench`: starts skiff in memory and on the disk, loads it, and compares with a real control plane.
 * Flags: --pods 2000 --connections 32 --listed 5000 --starts 5 --only memory|disk. Writes .bench-results.json.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { calibrate } from './calibrate.mjs'
import { startCluster } from './cluster.mjs'
import { measure } from './load.mjs'
import { realKubernetes } from './real-kubernetes.mjs'

/** Memory is read this long after the start, when nothing is left to do. */
const IDLE_AFTER_MS = 3000

const LABELS = {
  ready: 'exec to ready',
  idleMemory: 'memory, idle',
  create: 'create Pod',
  get: 'get Pod',
  patchStatus: 'strategic patch of status',
  apply: 'server-side apply',
  list: 'list all Pods',
  listByLabel: 'list 500 by label',
  fanOut: 'watch fan-out, 50 watchers',
  delete: 'delete Pod',
}

const text = { type: 'string' }
const { values } = parseArgs({ options: { pods: text, connections: text, listed: text, starts: text, only: text } })
const number = (name, otherwise) => {
  const value = Number(values[name] ?? otherwise)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a positive whole number, not ${values[name]}`)
  return value
}
const load = { objects: number('pods', 2000), connections: number('connections', 32), listed: number('listed', 5000) }
const starts = number('starts', 5)
if (values.only !== undefined && !['memory', 'disk'].includes(values.only)) throw new Error('--only takes memory or disk')
const variants = values.only ? [values.only] : ['memory', 'disk']

const calibration = calibrate()
const results = {}
for (const variant of variants) results[variant] = await benchmark(variant === 'disk')
print()
writeFileSync(
  '.bench-results.json',
  `${JSON.stringify({ node: process.version, cpus: cpus().length, calibration, load, results }, null, 2)}\n`,
)

async function benchmark(disk) {
  const times = []
  for (let run = 1; run < starts; run++) {
    const cluster = await startCluster(disk)
    times.push(cluster.readyMs)
    await cluster.stop()
  }
  const cluster = await startCluster(disk)
  times.push(cluster.readyMs)
  times.sort((a, b) => a - b)
  try {
    await new Promise((resolve) => setTimeout(resolve, IDLE_AFTER_MS))
    const idle = cluster.memoryMB()
    const measured = await measure(cluster.access, load)
    return {
      ready: { value: Math.round(times[Math.floor(times.length / 2)]), minimum: Math.round(times[0]) },
      ...(idle !== undefined && { idleMemory: { value: idle, loaded: cluster.memoryMB() } }),
      ...measured,
    }
  } finally {
    await cluster.stop()
  }
}

function print() {
  const { sha256MBs, jsonPerSecond, syncMs } = calibration
  console.log(
    `Node ${process.version}, ${cpus().length} cores; ${load.connections} connections, ${load.objects} pods, lists of ${load.listed}`,
  )
  console.log(`calibration: SHA-256 ${sha256MBs} MB/s, JSON there and back ${jsonPerSecond}/s, 64 KB synced in ${syncMs} ms`)
  console.log('ratios: times better than a real control plane on two idle cores\n')
  const rows = Object.keys(LABELS).map((key) => [
    LABELS[key],
    `${realKubernetes[key].value} ${realKubernetes[key].unit}`,
    ...variants.flatMap((variant) => cells(key, results[variant][key])),
  ])
  table([['', 'real', ...variants.flatMap((variant) => [variant, 'ratio', ''])], ...rows])
}

function cells(key, result) {
  if (!result) return ['–', '–', '']
  const { value, unit, better } = realKubernetes[key]
  const ratio = better === 'lower' ? value / result.value : result.value / value
  const detail = [
    result.minimum !== undefined && `min ${result.minimum} ms`,
    result.loaded !== undefined && `after load ${result.loaded} MB`,
    result.p99Ms !== undefined && `p99 ${result.p99Ms} ms`,
    result.megabytes !== undefined && `${result.megabytes} MB`,
  ]
  // The real figure is for lists of 5,000.
  const comparable = key !== 'list' || load.listed === 5000
  return [`${result.value} ${unit}`, comparable ? `${ratio.toFixed(1)}×` : '–', detail.filter(Boolean).join(', ')]
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
}
