/** Acting as somebody else by `Impersonate-…` headers: reads them, asks whether it is allowed, and answers the other user. */
import { badRequest } from '../../api/status.ts'
import type { UserInfo } from '../contract.ts'
import { ANONYMOUS, AUTHENTICATED } from './authenticate.ts'
import type { Attributes, Authorizer } from './contract.ts'
import { forbiddenRequest } from './forbidden.ts'
import { serviceAccountGroups } from './service-accounts.ts'

const PREFIX = 'impersonate-'
const EXTRA_PREFIX = 'impersonate-extra-'
const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:'
const AUTHENTICATION_GROUP = 'authentication.k8s.io'

/** Header names and values in turn, as Node's `rawHeaders` has them: the only form in which repeated headers keep apart. */
export type RawHeaders = readonly string[]

interface Wanted {
  user: string
  uid: string
  groups: string[]
  extra: Record<string, string[]>
}

/**
 * The user to act as, or `user` when no header asks for another. Throws 400 for headers without a user, 403 when `user` may
 * not impersonate the user, one of the groups, the uid or one of the extra values.
 */
export async function impersonate(user: UserInfo, headers: RawHeaders, authorizer: Authorizer): Promise<UserInfo> {
  const wanted = readHeaders(headers)
  if (!wanted) return user
  if (!wanted.user) throw badRequest(`requested ${describe(wanted)} without impersonating a user name`)
  for (const asked of permissionsFor(wanted)) {
    const attributes: Attributes = { ...asked, user, verb: 'impersonate' }
    const decision = await authorizer.authorize(attributes)
    if (!decision.allowed) throw forbiddenRequest(attributes, decision.reason)
  }
  return {
    name: wanted.user,
    ...(wanted.uid && { uid: wanted.uid }),
    groups: groupsOf(wanted),
    ...(Object.keys(wanted.extra).length > 0 && { extra: wanted.extra }),
  }
}

function readHeaders(headers: RawHeaders): Wanted | undefined {
  let wanted: Wanted | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const header = headers[i] ?? ''
    if (header.length < PREFIX.length || header.slice(0, PREFIX.length).toLowerCase() !== PREFIX) continue
    const name = header.toLowerCase()
    const value = headers[i + 1] ?? ''
    wanted ??= { user: '', uid: '', groups: [], extra: {} }
    if (name === 'impersonate-user') wanted.user = value
    else if (name === 'impersonate-uid') wanted.uid = value
    else if (name === 'impersonate-group') wanted.groups.push(value)
    else if (name.startsWith(EXTRA_PREFIX)) {
      const key = unescapeKey(name.slice(EXTRA_PREFIX.length))
      wanted.extra[key] = [...(wanted.extra[key] ?? []), value]
    }
  }
  return wanted
}

/** Keys may be percent-encoded; one that is not well encoded stands for itself. */
function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

function permissionsFor({ user, uid, groups, extra }: Wanted): Omit<Attributes, 'user' | 'verb'>[] {
  const account = serviceAccount(user)
  const asked: Omit<Attributes, 'user' | 'verb'>[] = [
    account
      ? { group: '', version: 'v1', resource: 'serviceaccounts', namespace: account.namespace, name: account.name }
      : { group: '', version: 'v1', resource: 'users', name: user },
  ]
  for (const name of groups) asked.push({ group: '', version: 'v1', resource: 'groups', name })
  for (const [key, values] of Object.entries(extra)) {
    const about = { group: AUTHENTICATION_GROUP, version: 'v1', resource: 'userextras', subresource: key }
    for (const name of values) asked.push({ ...about, name })
  }
  if (uid) asked.push({ group: AUTHENTICATION_GROUP, version: 'v1', resource: 'uids', name: uid })
  return asked
}

/** A service account without asked groups gets its own; everybody is authenticated but the anonymous. */
function groupsOf({ user, groups }: Wanted): string[] {
  const account = serviceAccount(user)
  const held = groups.length === 0 && account ? serviceAccountGroups(account.namespace) : [...groups]
  const [unauthenticated = ''] = ANONYMOUS.groups
  const standing = user === ANONYMOUS.name ? unauthenticated : AUTHENTICATED
  if (!held.includes(AUTHENTICATED) && !held.includes(unauthenticated)) held.push(standing)
  return held
}

function serviceAccount(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(SERVICE_ACCOUNT_PREFIX)) return undefined
  const [namespace, name, ...rest] = user.slice(SERVICE_ACCOUNT_PREFIX.length).split(':')
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined
}

/** As Go prints the struct. */
function describe({ user, uid, groups, extra }: Wanted): string {
  const list = (values: readonly string[]) =>
    values.length ? `[]string{${values.map((v) => JSON.stringify(v)).join(', ')}}` : '[]string(nil)'
  const pairs = Object.entries(extra).map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`)
  const map = pairs.length ? `map[string][]string{${pairs.join(', ')}}` : 'map[string][]string(nil)'
  return `&user.DefaultInfo{Name:${JSON.stringify(user)}, UID:${JSON.stringify(uid)}, Groups:${list(groups)}, Extra:${map}}`
}
