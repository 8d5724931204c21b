/** Flags and help of the commands about drafts: pods that are put together before they run. */
import type { Command } from 'commander'
import { WordsCommand } from './declare-run.ts'
import type { Declaring } from './program.ts'
import { CONTAINER_FLAGS, DRAFT_FLAGS, IMAGE } from './run/flags.ts'
import { withSession } from './session.ts'

/** `skiff create pod`, below `create`. */
export function declareDraft(create: Command, { io, globals, action }: Declaring): void {
  const draft = new WordsCommand('pod')
    .copyInheritedSettings(create)
    .usage('NAME [flags] [--image IMAGE [flags] [-- args…] [--- …]]')
    .description('begin a draft of a pod, which `skiff run pod/NAME` runs')
    .argument('[words...]')
    .withFlags([...DRAFT_FLAGS, IMAGE, ...CONTAINER_FLAGS])
    .addHelpText(
      'after',
      '\nA draft is a PodTemplate. Whoever --pending names holds it until skiff approve takes that name off.\n\nExample:\n  skiff create pod p --pending scan && skiff add container p --image tools:v1 -- true && skiff approve p scan && skiff run pod/p\n',
    )
    .action(
      action(async (words: string[]) => {
        const [{ readWords }, { createDraft }] = await Promise.all([import('./run/words.ts'), import('./drafts/write.ts')])
        const read = readWords(words, [...DRAFT_FLAGS, IMAGE, ...CONTAINER_FLAGS])
        if (read.help) {
          draft.outputHelp()
          return 0
        }
        const shown = create.opts<{ dryRun?: true; output?: string }>()
        return withSession(globals(), io, (session) => createDraft(read, shown, io, session))
      }),
    ) as WordsCommand
  create.addCommand(draft)
}

export function declareDraftCommands({ program, io, globals, action }: Declaring): void {
  const add = program.command('add').description('add to a draft')
  const container = new WordsCommand('container')
    .copyInheritedSettings(program)
    .usage('DRAFT [flags] --image IMAGE [flags] [-- args…] [--- …]')
    .description('add a container to a draft')
    .argument('[words...]')
    .withFlags([IMAGE, ...CONTAINER_FLAGS])
    .addHelpText('after', '\nExample:\n  skiff add container p --image web:v1 -p 8080 -e MODE=fast\n')
    .action(
      action(async (words: string[]) => {
        const [{ readWords }, { addContainer }] = await Promise.all([import('./run/words.ts'), import('./drafts/write.ts')])
        const read = readWords(words, [IMAGE, ...CONTAINER_FLAGS])
        if (read.help) {
          container.outputHelp()
          return 0
        }
        return withSession(globals(), io, (session) => addContainer(read, io, session))
      }),
    ) as WordsCommand
  add.addCommand(container)
  add.addHelpText('after', '\nExample:\n  skiff add container p --image web:v1\n')
  program
    .command('approve')
    .description('take names off what holds a draft; without names, say what holds it')
    .argument('<draft>')
    .argument('[name...]')
    .addHelpText('after', '\nExample:\n  skiff approve p scan\n')
    .action(
      action(async (draft: string, names: string[]) => {
        const { approve } = await import('./drafts/write.ts')
        return withSession(globals(), io, (session) => approve(draft, names, io, session))
      }),
    )
}
