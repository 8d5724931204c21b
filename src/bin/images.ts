/** `skiff image …`: the commands over the image store of a data directory; no cluster needs to run. */

import type { BuildOptions, ImageCommands, ImageSummary } from '../cli/host.ts'
import { CommandError } from '../cli/io.ts'
import { openImageStore } from '../node/images/store.ts'
import type { ImageState } from '../node/runtime/runtime.ts'

export function imageCommands(dataDirectory: string): ImageCommands {
  const store = openImageStore(dataDirectory)
  return {
    build: (options) => told(async () => summaryOf(await store.build(buildOptions(options)), options.tag)),
    load: (file) => told(async () => (await store.load(file)).flatMap(summaries)),
    save: (name, file) => told(async () => void (await store.save([name], file))),
    list: () => told(async () => (await store.list()).flatMap(summaries)),
    remove: (name) => told(async () => void (await store.remove(name))),
  }
}

function buildOptions({ directory, tag, entrypoint, env, workingDirectory }: BuildOptions) {
  return {
    ...{ directory, tag, entrypoint: shellWords(entrypoint), env: variables(env) },
    ...(workingDirectory !== undefined && { workdir: workingDirectory }),
  }
}

function variables(assignments: readonly string[]): Record<string, string> {
  const pairs = assignments.map((assignment) => {
    const equals = assignment.indexOf('=')
    if (equals < 1) throw new CommandError(`--env ${JSON.stringify(assignment)}: NAME=VALUE is expected`)
    return [assignment.slice(0, equals), assignment.slice(equals + 1)]
  })
  return Object.fromEntries(pairs)
}

/** Splits as a shell does at spaces, quotes and backslashes; expands nothing. Throws CommandError for an open quote. */
export function shellWords(text: string): string[] {
  const words: string[] = []
  const pattern = /\s*((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)/gy
  let end = 0
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    end = pattern.lastIndex
    words.push(
      (match[1] ?? '').replace(
        /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/g,
        (_all, escaped, double, single) => escaped ?? single ?? double.replace(/\\(["\\$`])/g, '$1'),
      ),
    )
  }
  if (text.slice(end).trim() !== '') throw new CommandError(`--entrypoint ${JSON.stringify(text)}: a quote is not closed`)
  return words
}

function summaries(image: ImageState): ImageSummary[] {
  const names = image.tags.length > 0 ? image.tags : ['<none>']
  return names.map((name) => summaryOf(image, name))
}

function summaryOf(image: ImageState, name: string): ImageSummary {
  return { name, digest: image.digest?.split('@').at(-1) ?? image.id, sizeBytes: image.sizeBytes }
}

/** Failures of the store are the user's to read, in one line. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError((error as Error).message, 1, { cause: error })
  }
}
