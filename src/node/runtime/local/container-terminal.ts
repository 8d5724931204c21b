/**
 * The terminal of a container's own process: `script` stands between it and the pipes to this process, and `stty` gives it
 * its size. Knows nothing of namespaces but the pid that it is given.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TerminalSize } from '../../../api/streams.ts'
import { RuntimeError } from '../runtime.ts'
import { quote } from './launch.ts'
import { findTool, runCommand } from './run-command.ts'
import { childrenOf } from './running-process.ts'

const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 }

export class ContainerTerminal {
  readonly #directory: string
  readonly #env: Record<string, string>

  /** `directory` is the container's own, `env` that of its process. */
  constructor(directory: string, env: Record<string, string>) {
    this.#directory = directory
    this.#env = env
    this.#remember(DEFAULT_SIZE)
  }

  /** The command that runs `command` on the terminal. Throws RuntimeError where that is not to be had. */
  wrap(command: readonly string[]): string[] {
    const [script, env] = [findTool('script'), findTool('env')]
    if (!script || !env || !findTool('stty'))
      throw new RuntimeError('CreateContainerError', 'tty: true needs the programs script (util-linux), env and stty')
    // `script` runs its command by the shell that SHELL names, which may be one that only the image has.
    const shell = this.#env.SHELL === undefined ? 'unset SHELL' : `SHELL=${quote(this.#env.SHELL)}`
    const size = `read -r rows columns < ${quote(this.#file)}; stty rows "$rows" cols "$columns"`
    const line = `${shell}; ${size}; exec ${command.map(quote).join(' ')}`
    return [env, 'SHELL=/bin/sh', script, '--quiet', '--flush', '--return', '--command', line, '/dev/null']
  }

  /**
   * `scriptPid` is that of the wrapped command, `enter` a prefix for commands that may touch its terminal. A size that comes
   * before the terminal is there is read by the command itself as it starts.
   */
  async resize(size: TerminalSize, scriptPid: number | undefined, enter: readonly string[]): Promise<void> {
    if (size.columns <= 0 || size.rows <= 0) return
    this.#remember(size)
    const [main] = scriptPid === undefined ? [] : childrenOf(scriptPid)
    if (main === undefined) return
    const { rows, columns } = size
    const stty = ['stty', '-F', `/proc/${main}/fd/0`, 'rows', String(rows), 'cols', String(columns)]
    const [command = '', ...args] = [...enter, ...stty]
    // It may have ended in the meantime; and a terminal that takes no size keeps the one that it has.
    await runCommand(command, args).catch(() => {})
  }

  get #file(): string {
    return join(this.#directory, 'terminal-size')
  }

  #remember({ rows, columns }: TerminalSize): void {
    writeFileSync(this.#file, `${rows} ${columns}\n`)
  }
}
