/** What may be the value of a flag: its choices, or what the kubeconfig and the cluster have. */

import type { Option } from 'commander'
import { contextNames } from '../../client/kubeconfig.ts'
import { namespaces } from '../../client/resources.ts'
import { findPods } from '../find-pods.ts'
import type { Io } from '../io.ts'
import { type Session, withSession } from '../session.ts'
import type { Line } from './line.ts'

/** As `-o` of most commands takes them; those with fewer say so themselves. */
const FORMATS = ['json', 'yaml', 'name', 'jsonpath=', 'custom-columns=']
const GET_FORMATS = [...FORMATS, 'wide', 'neat', 'jsonpath-as-json=', 'jsonpath-file=', 'custom-columns-file=']
/** Their `--container` is one of the pods that were named. */
const OF_PODS = new Set(['logs', 'exec', 'attach', 'env'])

export async function valuesOf(line: Line, { option }: { option: Option }, io: Io): Promise<readonly string[]> {
  if (option.argChoices) return option.argChoices
  const inSession = <T>(work: (session: Session) => Promise<T>) => withSession(line.globals, io, work)
  switch (option.long) {
    case '--context':
      return contextNames({ kubeconfig: line.globals.kubeconfig, env: io.env })
    case '--namespace':
      return inSession(async ({ client }) => (await client.list(namespaces)).items.map(({ metadata }) => metadata.name ?? ''))
    case '--output':
      return formatsOf(line, option)
    case '--container':
      return OF_PODS.has(line.path) && line.words[0] !== undefined
        ? inSession((session) => containersOf(line.words[0]!, session))
        : []
    case '--prefix':
      return ['on', 'off', 'auto']
    case '--stage':
      return ['pre-start']
    default:
      return []
  }
}

/** Commands with one form have it as the flag's description. */
function formatsOf({ path }: Line, { description }: Option): readonly string[] {
  if (path === 'get') return GET_FORMATS
  return /^[a-z]+$/.test(description) ? [description] : FORMATS
}

async function containersOf(word: string, session: Session): Promise<string[]> {
  const { pods } = await findPods(word, session)
  const specs = pods.map(({ spec }) => [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])])
  return specs.flat().map(({ name }) => name ?? '')
}
