/** What a container said at its end: the file it was given for that, or its last log lines. */
import { open } from 'node:fs/promises'
import type { Container } from '../../api/types.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { readLog } from '../logs/read-log.ts'
import type { ContainerState } from '../runtime/runtime.ts'

const MAX_MESSAGE_BYTES = 4096
const MAX_LOG_BYTES = 2048
const MAX_LOG_LINES = 80

/** `file` is where the container's terminationMessagePath lies on this host. Empty when it said nothing. */
export async function terminationMessage(
  container: Container,
  state: ContainerState,
  file: string,
  clock: Clock = systemClock,
): Promise<string> {
  const message = await beginning(file, MAX_MESSAGE_BYTES)
  const wantsLog = container.terminationMessagePolicy === 'FallbackToLogsOnError' && state.exitCode !== 0
  if (message !== '' || !wantsLog || !state.logPath) return message
  const source = { path: state.logPath, isLive: () => false, onChange: () => () => {} }
  const chunks: Buffer[] = []
  for await (const chunk of readLog(source, { tailLines: MAX_LOG_LINES }, clock, new AbortController().signal)) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  return bytes.subarray(Math.max(0, bytes.length - MAX_LOG_BYTES)).toString()
}

async function beginning(path: string, length: number): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0)
      return buffer.subarray(0, bytesRead).toString()
    } finally {
      await file.close()
    }
  } catch (error) {
    // A container whose runtime has no mounts, or that replaced the file, left no message.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
