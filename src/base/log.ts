/** Structured log lines; where they go is the composition root's choice. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** The same log with a component name in every line. */
  named(component: string): Log
}
export type LogFields = Record<string, unknown>
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** A log that writes `time level component message key=value…` through `write`, one line a call. */
export function createLog(options: { write: (line: string) => void; level?: LogLevel; component?: string }): Log {
  const threshold = ORDER[options.level ?? 'info']
  const emit = (level: LogLevel, message: string, fields?: LogFields) => {
    if (ORDER[level] < threshold) return
    const details = Object.entries(fields ?? {}).map(([key, value]) => ` ${key}=${show(value)}`)
    options.write(`${new Date().toISOString()} ${level} ${options.component ?? 'skiff'} ${message}${details.join('')}\n`)
  }
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    named: (component) => createLog({ ...options, component }),
  }
}

export const silentLog: Log = createLog({ write: () => {}, level: 'error' })

function show(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.stack ?? value.message)
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : (JSON.stringify(value) ?? String(value))
}
