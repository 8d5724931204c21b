/** A node whose containers are this machine: exec runs real processes, ports are real ports of the loopback interface. */
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { badRequest } from '../../../src/api/status.ts'
import type { AttachOptions, NodeStreams, ProcessHandle, ProcessIo } from '../../../src/api/streams.ts'

export function createProcessNode(): NodeStreams {
  return {
    async logs(_pod, options) {
      if (options.previous) throw badRequest('previous terminated container not found')
      return Readable.from([Buffer.from('one\n'), Buffer.from('two\n')])
    },
    exec: async (_pod, options, io, signal) => run(options.command, options, io, signal),
    attach: async (_pod, options, io, signal) => run(['cat'], options, io, signal),
    portForward(_pod, port, signal) {
      return new Promise((resolve, reject) => {
        const duplex = connect({ host: '127.0.0.1', port, allowHalfOpen: true, signal })
        duplex.once('connect', () => resolve({ duplex }))
        duplex.once('error', reject)
      })
    },
    usage: () => Promise.reject(badRequest('nothing is measured here')),
  }
}

function run(command: readonly string[], options: AttachOptions, io: ProcessIo, signal: AbortSignal): ProcessHandle {
  const [program = 'true', ...args] = command
  const child = spawn(program, args, { signal, env: { ...process.env, ROWS: '' } })
  if (options.stdin && io.stdin) io.stdin.pipe(child.stdin)
  else child.stdin.end()
  child.stdin.on('error', () => {})
  if (io.stdout) child.stdout.pipe(io.stdout, { end: false })
  else child.stdout.resume()
  if (io.stderr) child.stderr.pipe(io.stderr, { end: false })
  else child.stderr.resume()
  void (async () => {
    for await (const { columns, rows } of io.resize ?? []) io.stdout?.write(`${columns}x${rows}\n`)
  })()
  const exit = new Promise<{ code: number; error?: string }>((resolve) => {
    child.once('error', (error) => resolve({ code: -1, error: error.message }))
    child.once('close', (code) => resolve({ code: code ?? 137 }))
  })
  return { exit }
}
