/** A question on the terminal that is answered with yes or no. */
import { createInterface } from 'node:readline'
import type { Io } from './io.ts'

/** Everything but y and yes is no, the end of the input and Ctrl-C too. */
export async function confirm(question: string, { stdin, stdout, signal }: Io): Promise<boolean> {
  stdout.write(`${question} [y/N] `)
  const lines = createInterface({ input: stdin, signal })
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim())
    stdout.write('\n')
    return false
  } finally {
    lines.close()
  }
}
