/** `skiff alias set|rm|ls`: names for sets of kinds, kept for the user, for a namespace, or for everybody in a ConfigMap. */
import { isNotFound } from '../../api/status.ts'
import type { ConfigMap } from '../../api/types.ts'
import { configMaps } from '../../client/resources.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { type GlobalOptions, type Session, withSession } from '../session.ts'
import { formatTable } from '../table.ts'
import { isOpenMember, parseMembers } from './alias.ts'
import { ALIAS_LABEL, ALIAS_MAP, allAliases, CLUSTER_NAMESPACE } from './sources.ts'
import { readUserAliases, writeUserAliases } from './user-file.ts'

export type StoredScope = 'user' | 'namespace' | 'cluster'

/** What can be a key of a ConfigMap and is told from kinds and flags. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/

export async function setAlias(
  options: GlobalOptions & { name: string; kinds: readonly string[]; scope: StoredScope },
  io: Io,
): Promise<number> {
  const { name, kinds, scope } = options
  if (!NAME.test(name))
    throw new CommandError(`${JSON.stringify(name)} is no name for an alias: small letters, digits and dashes`)
  return withSession(options, io, async (session) => {
    const kind = await session.discovery.find(name)
    if (kind) throw new CommandError(`${JSON.stringify(name)} is a kind of this cluster (${kind.plural}) and cannot be an alias`)
    const members = await parseMembers(kinds, session.discovery)
    if (scope === 'user') await writeUserAliases(io.env, new Map([...(await readUserAliases(io.env)), [name, members]]))
    else await writeMap(scope, session, name, members)
    const note = members.some(isOpenMember) ? ' (an open set: delete and stop never act on it)' : ''
    writeLine(io.stdout, `alias ${name} set to ${members.join(', ')}${note}`)
    return 0
  })
}

export async function removeAlias(options: GlobalOptions & { name: string; scope: StoredScope }, io: Io): Promise<number> {
  const { name, scope } = options
  return withSession(options, io, async (session) => {
    const own = await readUserAliases(io.env)
    const known = scope === 'user' ? own.has(name) : (await readMap(scope, session))?.data?.[name] !== undefined
    if (!known)
      throw new CommandError(
        `there is no alias ${JSON.stringify(name)} of the scope ${scope}; "skiff alias ls" shows what there is`,
      )
    own.delete(name)
    if (scope === 'user') await writeUserAliases(io.env, own)
    else
      await session.client.patch(
        configMaps,
        ALIAS_MAP,
        'merge',
        { data: { [name]: null } },
        { namespace: placeOf(scope, session) },
      )
    writeLine(io.stdout, `alias ${name} removed`)
    return 0
  })
}

export type AliasFormat = 'json' | 'yaml' | 'name'

export async function listAliases(options: GlobalOptions & { output?: AliasFormat | undefined }, io: Io): Promise<number> {
  return withSession(options, io, async (session) => {
    const seen = new Set<string>()
    const rows = (await allAliases(session)).map(({ name, scope, members }) => {
      const isHidden = seen.has(name)
      seen.add(name)
      return { name, scope, set: members.some(isOpenMember) ? 'open' : 'explicit', members, ...(isHidden && { hidden: true }) }
    })
    const shown = rows.filter((row) => !row.hidden)
    switch (options.output) {
      case 'json':
        writeLine(io.stdout, JSON.stringify(rows, undefined, 2))
        break
      case 'yaml':
        io.stdout.write((await import('js-yaml')).dump(rows, { noRefs: true, lineWidth: -1 }))
        break
      case 'name':
        for (const { name } of shown) writeLine(io.stdout, name)
        break
      default: {
        const lines = shown.map(({ name, scope, set, members }) => [name, scope, set, members.join(', ')])
        io.stdout.write(formatTable(['NAME', 'SCOPE', 'SET', 'KINDS'], lines))
      }
    }
    return 0
  })
}

function placeOf(scope: StoredScope, { namespace }: Session): string {
  return scope === 'cluster' ? CLUSTER_NAMESPACE : namespace
}

async function readMap(scope: StoredScope, session: Session): Promise<ConfigMap | undefined> {
  try {
    return await session.client.get(configMaps, ALIAS_MAP, { namespace: placeOf(scope, session) })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function writeMap(scope: StoredScope, session: Session, name: string, members: readonly string[]): Promise<void> {
  const namespace = placeOf(scope, session)
  const data = { [name]: members.join(',') }
  const labels = { [ALIAS_LABEL]: 'true' }
  if (await readMap(scope, session)) {
    await session.client.patch(configMaps, ALIAS_MAP, 'merge', { metadata: { labels }, data }, { namespace })
    return
  }
  const map: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: ALIAS_MAP, namespace, labels }, data }
  await session.client.create(configMaps, map, { namespace })
}
