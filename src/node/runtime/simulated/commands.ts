/**
 * The few commands that a simulated container understands, so that jobs end, probes by command pass, and `exec` answers
 * something: echo, true, false, exit, sleep, cat, env, hostname, pwd, and `sh -c` with these joined by `;` and `&&`. Pure.
 */
export interface CommandContext {
  hostname: string
  env: readonly { name: string; value: string }[]
}

export interface CommandResult {
  output: string
  code: number
  /** How long it takes; infinite for what never ends by itself. */
  durationMs: number
  /** It copies its input to its output. */
  copies: boolean
}

/** `undefined` for a command that is not among them. */
export function interpret(argv: readonly string[], context: CommandContext): CommandResult | undefined {
  const [command = '', ...args] = argv
  const name = command.slice(command.lastIndexOf('/') + 1)
  const result = (output: string, code = 0, durationMs = 0): CommandResult => ({ output, code, durationMs, copies: false })
  switch (name) {
    case 'echo':
      return result(`${args.join(' ')}\n`)
    case 'true':
      return result('')
    case 'false':
      return result('', 1)
    case 'exit':
      return result('', Number(args[0] ?? 0) & 255)
    case 'sleep':
      return result('', 0, args[0] === 'infinity' ? Number.POSITIVE_INFINITY : Number.parseFloat(args[0] ?? '0') * 1000)
    case 'cat':
      return args.length === 0 ? { ...result(''), copies: true } : undefined
    case 'hostname':
      return result(`${context.hostname}\n`)
    case 'env':
    case 'printenv':
      return result(context.env.map(({ name: key, value }) => `${key}=${value}\n`).join(''))
    case 'pwd':
      return result('/\n')
    case 'sh':
    case 'bash':
      return args[0] === '-c' && args[1] !== undefined ? script(args[1], context) : undefined
    default:
      return undefined
  }
}

function script(text: string, context: CommandContext): CommandResult | undefined {
  const total: CommandResult = { output: '', code: 0, durationMs: 0, copies: false }
  let skip = false
  for (const part of text.split(/(;|&&|\n)/)) {
    const words = part.trim()
    if (words === '&&') skip = total.code !== 0
    else if (words === ';' || part === '\n') skip = false
    if (words === '' || words === ';' || words === '&&' || skip) continue
    const argv = split(words, context)
    const one = argv && interpret(argv, context)
    if (!one) return undefined
    total.output += one.output
    total.code = one.code
    total.durationMs += one.durationMs
    total.copies ||= one.copies
    if (argv[0] === 'exit') break
  }
  return total
}

/** Words with quotes and `$NAME`; `undefined` for anything that needs a real shell. */
function split(text: string, context: CommandContext): string[] | undefined {
  if (/[|<>`*?~(){}\\]/.test(text)) return undefined
  const words = text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []
  return words.map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'|\$(\w+)/g, (whole, double?: string, single?: string, name?: string) => {
      if (single !== undefined) return single
      const lookup = (_: string, key: string) => context.env.find((variable) => variable.name === key)?.value ?? ''
      if (double !== undefined) return double.replace(/\$(\w+)/g, lookup)
      return name === undefined ? whole : lookup('', name)
    }),
  )
}
