/** An audit log in a file: one event a line, appended. */
import { createWriteStream } from 'node:fs'
import type { Log } from '../../base/log.ts'
import type { AuditSink } from './audit.ts'

/** What may wait for a slow disk. Events beyond it are lost, and counted in the server's log. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024

export interface AuditLog {
  sink: AuditSink
  /** Resolves when everything is in the file. */
  close(): Promise<void>
}

/** The file is opened when this is called; a failure later is told once and ends the log, not the server. */
export function openAuditLog(path: string, log: Log): AuditLog {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 })
  let lost = 0
  let failed = false
  stream.on('error', (error) => {
    failed = true
    log.error('the audit log cannot be written', { path, error })
  })
  return {
    sink(event) {
      if (failed) return
      if (stream.writableLength > MAX_WAITING_BYTES) {
        lost += 1
        return
      }
      if (lost > 0) log.warn('audit events lost: the disk is too slow', { path, lost })
      lost = 0
      stream.write(`${JSON.stringify(event)}\n`)
    },
    close: () =>
      new Promise((resolve) => {
        if (failed) resolve()
        else stream.end(resolve)
      }),
  }
}
