/** Names from the cluster for a word of a command: of what the command can do something to, with or without their kinds. */
import { DRAFT_LABEL, pendingOf } from '../../api/drafts.ts'
import { podTemplates } from '../../client/resources.ts'
import { BUILT_IN } from '../aliases/alias.ts'
import { allAliases } from '../aliases/sources.ts'
import { readUserAliases } from '../aliases/user-file.ts'
import { draftName } from '../drafts/find.ts'
import { namesWithPrefix } from '../names/lookup.ts'
import { listMetadata } from '../names/metadata.ts'
import { NEEDS, type Needs } from '../names/needs.ts'
import type { Session } from '../session.ts'
import type { Line } from './line.ts'

/** Commands whose words are names, by what they do with them; those called as their needs are not listed. */
const NEEDS_OF: Record<string, Needs> = {
  ...NEEDS,
  attach: NEEDS.exec,
  'port-forward': NEEDS.exec,
  rollback: NEEDS.roll,
  promote: NEEDS.roll,
  abort: NEEDS.roll,
  resume: NEEDS.roll,
  history: NEEDS.roll,
}
/** These take kinds too. */
const KIND_COMMANDS = new Set([
  'get',
  'describe',
  'delete',
  'scale',
  'wait',
  'stop',
  'restart',
  'set',
  'status',
  'tree',
  'autoscale',
])
/** These take one name; what follows is something else. */
const ONE_NAME = new Set(['exec', 'attach', 'port-forward', 'env'])
/** Names beyond this help nobody who types. */
const MAX_NAMES = 500

export async function namesFor({ path, words, last }: Line, session: Session): Promise<readonly string[]> {
  const [name = ''] = path.split(' ')
  switch (path) {
    case 'run':
      return words.length === 0 ? (await drafts(session)).map((draft) => `pod/${draft}`) : []
    case 'add container':
      return words.length === 0 ? drafts(session) : []
    case 'approve':
      return words.length === 0 ? drafts(session) : without(await holders(words[0]!, session), words)
    case 'alias set':
      return words.length === 0 ? [] : without(await kindWords(session), words)
    case 'alias rm':
      return words.length === 0 ? storedAliases(session) : []
    case 'top':
      return words.length === 0 ? ['nodes', 'pods'] : without(await namesOfKind(words[0]!, session), words)
    default: {
      const needs = NEEDS_OF[name]
      if (!needs || (ONE_NAME.has(name) && words.length > 0)) return []
      return without(await fromCluster(name, needs, words, last, session), words)
    }
  }
}

/** What was typed already is not offered again. */
function without(names: readonly string[], typed: readonly string[]): string[] {
  return names.filter((name) => !typed.includes(name))
}

async function fromCluster(
  name: string,
  needs: Needs,
  words: readonly string[],
  last: string,
  session: Session,
): Promise<string[]> {
  const slash = last.indexOf('/')
  if (slash > 0) {
    const kind = last.slice(0, slash)
    return (await namesOfKind(kind, session)).map((one) => `${kind}/${one}`)
  }
  const [first] = words
  const isKind = first !== undefined && KIND_COMMANDS.has(name) && (isDrafts(first) || (await session.discovery.find(first)))
  if (isKind) return namesOfKind(first, session)
  const [kinds, found] = await Promise.all([
    KIND_COMMANDS.has(name) && first === undefined ? kindWords(session) : [],
    namesWithPrefix(last, needs, MAX_NAMES, session),
  ])
  return [...new Set([...found, ...kinds, ...(name === 'get' && first === undefined ? ['drafts'] : [])])].sort()
}

async function kindWords({ discovery, env }: Session): Promise<string[]> {
  const [resources, aliases] = await Promise.all([discovery.resources(), readUserAliases(env)])
  return [...resources.map(({ plural }) => plural), ...aliases.keys(), ...BUILT_IN.map(({ name }) => name)]
}

const isDrafts = (kind: string) => kind === 'draft' || kind === 'drafts'

async function namesOfKind(kind: string, session: Session): Promise<string[]> {
  if (isDrafts(kind)) return drafts(session)
  const resource = await session.discovery.find(kind)
  if (!resource) return []
  const { found } = await listMetadata(resource, session.namespace, session, { limit: String(MAX_NAMES) })
  return found.map(({ name }) => name)
}

async function drafts({ client, namespace }: Session): Promise<string[]> {
  const { items } = await client.list(podTemplates, { namespace, labelSelector: `${DRAFT_LABEL}=true`, limit: MAX_NAMES })
  return items.map(({ metadata }) => metadata.name ?? '')
}

/** Those that somebody set, and can remove. */
async function storedAliases(session: Session): Promise<string[]> {
  const stored = (await allAliases(session)).filter(({ scope }) => scope !== 'built-in' && scope !== 'declared')
  return stored.map(({ name }) => name)
}

/** Whom a draft waits for. */
async function holders(word: string, { client, namespace }: Session): Promise<string[]> {
  return pendingOf(await client.get(podTemplates, draftName(word), { namespace }))
}
