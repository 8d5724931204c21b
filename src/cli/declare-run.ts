/** Flags and help of `run`, whose words are read by a parser of their own: there, order says whose a flag is. */
import { Command } from 'commander'
import type { Declaring } from './program.ts'
import { CONTAINER_FLAGS, type FlagDefinition, flagSyntax, IMAGE, RUN_FLAGS } from './run/flags.ts'
import { withSession } from './session.ts'

/** Knows its flags for help and completion, and leaves the reading of them to its action. */
export class WordsCommand extends Command {
  override parseOptions(words: string[]): { operands: string[]; unknown: string[] } {
    return { operands: [], unknown: words }
  }

  withFlags(definitions: readonly FlagDefinition[]): this {
    for (const definition of definitions) this.option(flagSyntax(definition), definition.help)
    return this.allowUnknownOption().helpOption(false)
  }
}

const RUN_HELP = `
Flags before the first --image are of all containers, later ones of the image before them; those about the whole (--as, --rm,
--label, …) may stand anywhere. --- begins a further container of the same pod; a+b are two that share what follows.

It runs once, and its exit code is passed on, when it is given arguments, -i, -t, --rm, --once or --restart no; else for ever.
-i and -t lose no byte: the process starts when it is attached. (A node that is not skiff's starts it at once: its input is
complete there too, and what it printed before is read from its log.) On a terminal, ctrl-p ctrl-q leaves it running.

Examples:
  skiff run web --image web:v1 --replicas 3 -p 8080 --expose 80
  skiff run -it --rm --image tools:v1 -- sh
  seq 10 | skiff run -i --rm sum --image tools:v1 -- paste -sd+
  skiff run pair -v /shared --image web:v1 -p 8080 --- --image tools:v1 -e MODE=fast -- sync /shared
  skiff run web --image web:v1 --dry-run client -o yaml
`

export function declareRun({ program, io, globals, action }: Declaring): void {
  const run: WordsCommand = new WordsCommand('run')
    .copyInheritedSettings(program)
    .usage('[NAME] [flags] --image IMAGE [flags] [-- args…] [--- …]')
    .description('run images: once when there is something to do, else for ever')
    .argument('[words...]')
    .withFlags([IMAGE, ...CONTAINER_FLAGS, ...RUN_FLAGS])
    .addHelpText('after', RUN_HELP)
    .action(
      action(async (words: string[]) => {
        const { readRunWords, runRun } = await import('./run.ts')
        const read = readRunWords(words)
        if (read.help) {
          run.outputHelp()
          return 0
        }
        return withSession(globals(), io, (session) => runRun(read, globals(), io, session))
      }),
    ) as WordsCommand
  program.addCommand(run)
}
