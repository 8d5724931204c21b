/** Starts `skiff up` as its users do, waits for its word that it is ready, and stops it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { load } from 'js-yaml'

const PROGRAM = fileURLToPath(new URL('../../bin/skiff', import.meta.url))
const START_LIMIT_MS = 30_000

/** `disk`: objects and keys lie in a directory of their own, which goes when it stops. Throws with its output when it does not get ready. */
export async function startCluster(disk) {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-bench-'))
  const kubeconfig = join(directory, 'kubeconfig')
  const flags = ['--runtime', 'none', '--port', '0', '--kubeconfig', kubeconfig, '--data-dir', join(directory, 'data')]
  const start = performance.now()
  const child = spawn(process.execPath, [PROGRAM, 'up', ...flags, ...(disk ? [] : ['--in-memory'])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const saidMs = await untilReady(child)
    return {
      readyMs: performance.now() - start,
      saidMs,
      kubeconfig,
      access: readAccess(kubeconfig),
      memoryMB: () => memoryMB(child.pid),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Resolves with the milliseconds that it says itself. */
function untilReady(child) {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(() => reject(new Error(`not ready after ${START_LIMIT_MS} ms:\n${output}`)), START_LIMIT_MS)
    const read = (data) => {
      output += data
      const ready = /ready in (\d+) ms/.exec(output)
      if (!ready) return
      clearTimeout(timer)
      resolve(Number(ready[1]))
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`"skiff up" ended with ${code}:\n${output}`))
    })
  })
}

function readAccess(path) {
  const config = load(readFileSync(path, 'utf8'))
  const { cluster } = config.clusters[0]
  const { user } = config.users[0]
  const decode = (text) => Buffer.from(text, 'base64')
  return {
    url: new URL(cluster.server),
    tls: {
      ca: decode(cluster['certificate-authority-data']),
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    },
  }
}

/** Resident memory of the process and its children; undefined where there is no /proc. */
function memoryMB(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    let kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)[1])
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean)
      for (const child of children) kilobytes += (memoryMB(child) ?? 0) * 1024
    }
    return Math.round(kilobytes / 1024)
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}
