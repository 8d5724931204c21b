/** What a cluster's API server is told by files and names, made into the server's own options. */
import { readFileSync } from 'node:fs'
import type { UserInfo } from './server/contract.ts'
import type { ServerOptions } from './server/server.ts'

export interface ApiServerFiles {
  /** Bearer tokens, a line each: `token,user,uid,"group1,group2"`, as `kube-apiserver --token-auth-file` reads them. */
  tokenFile?: string | undefined
  /** Where audit events are appended, a JSON document a line. */
  auditLog?: string | undefined
  /** An audit policy (`audit.k8s.io/v1`) in YAML; the metadata of all requests without it. */
  auditPolicy?: string | undefined
  /** The ConfigMap whose `service-ca.crt` goes into every token volume, for clusters that add a CA for Services. */
  serviceCaConfigMap?: string | undefined
}

/** Throws a one-line Error for a file that cannot be read or has a line that is none. */
export async function readApiServerFiles(
  files: ApiServerFiles,
): Promise<Pick<ServerOptions, 'staticTokens' | 'extraTokenSources' | 'audit'>> {
  const { tokenFile, auditLog, auditPolicy, serviceCaConfigMap: name } = files
  if (auditPolicy && !auditLog) throw new Error('an audit policy takes an audit log: name its file with --audit-log')
  const key = 'service-ca.crt'
  return {
    ...(tokenFile && { staticTokens: parseTokens(readFileSync(tokenFile, 'utf8'), tokenFile) }),
    ...(auditLog && { audit: await auditOf(auditLog, auditPolicy) }),
    ...(name && { extraTokenSources: [{ configMap: { name, items: [{ key, path: key }] } }] }),
  }
}

async function auditOf(file: string, policyFile: string | undefined): Promise<NonNullable<ServerOptions['audit']>> {
  const { METADATA_OF_ALL, parsePolicy } = await import('./server/audit/policy.ts')
  const { openAuditLog } = await import('./server/audit/log-file.ts')
  const policy = policyFile
    ? parsePolicy((await import('js-yaml')).load(readFileSync(policyFile, 'utf8')), policyFile)
    : METADATA_OF_ALL
  return { policy, log: (log) => openAuditLog(file, log) }
}

function parseTokens(text: string, file: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>()
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return
    const [token, name, uid, groups = ''] = fieldsOf(line)
    const place = `${file}:${index + 1}`
    if (!token || !name || uid === undefined) throw new Error(`${place}: a line is token,user,uid and optionally "group1,group2"`)
    if (users.has(token)) throw new Error(`${place}: this token stands above already`)
    users.set(token, { name, ...(uid && { uid }), groups: groups.split(',').filter((group) => group !== '') })
  })
  return users
}

/** Comma-separated values, of which some are quoted. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"'),
  )
}
