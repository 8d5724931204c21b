/** Runs the host's own tools (`ip`, `nsenter`, …) and finds where they are. Knows nothing of pods. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

const EXTRA_PATH = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** A tool's output that is kept for an error message, in characters. */
const MAX_OUTPUT = 1024 * 1024

/** The absolute path of a tool, or undefined where it is not installed. */
export function findTool(name: string): string | undefined {
  for (const directory of [...(process.env.PATH ?? '').split(':'), ...EXTRA_PATH]) {
    if (!directory.startsWith('/')) continue
    try {
      accessSync(join(directory, name), constants.X_OK)
      return join(directory, name)
    } catch {
      // Not in this directory; the next one may have it.
    }
  }
  return undefined
}

/** Resolves with what the tool wrote to stdout. Rejects with its stderr when it fails. */
export function runCommand(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (output.length < MAX_OUTPUT) output += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      if (errors.length < MAX_OUTPUT) errors += chunk
    })
    child.on('error', reject)
    // A tool that ends without reading its input says why in its exit code.
    child.stdin.on('error', () => {})
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ${args.join(' ')}: ${errors.trim() || `ended with ${code ?? signal}`}`))
    })
    child.stdin.end(input)
  })
}
