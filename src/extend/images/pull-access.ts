/** With which credentials a pod's images are asked for: its pull secrets, its account's, and this machine's own. */
import { isNotFound } from '../../api/status.ts'
import type { PodSpec, Secret } from '../../api/types.ts'
import type { Client } from '../../client/client.ts'
import { secrets, serviceAccounts } from '../../client/resources.ts'
import type { RegistryCredential } from '../../registry/credentials.ts'
import { dockerCredentials } from '../../registry/docker-config.ts'
import { pullCredentials } from '../../registry/pull-secrets.ts'
import type { ImageReference } from '../../registry/reference.ts'

/** The secrets' first, as on a node. Secrets that do not exist, or hold nothing of use, are passed over. */
export async function pullAccess(
  client: Client,
  namespace: string,
  spec: PodSpec,
): Promise<(reference: ImageReference) => Promise<RegistryCredential[]>> {
  const names = await secretNames(client, namespace, spec)
  const found = await Promise.all(names.map((name) => readSecret(client, namespace, name)))
  const { credentials } = pullCredentials(found.filter((secret) => secret !== undefined))
  return async (reference) => [...credentials, ...(await dockerCredentials(reference, process.env)).credentials]
}

/** A pod has its account's secrets already; a template gets them when its pods are made. */
async function secretNames(client: Client, namespace: string, spec: PodSpec): Promise<string[]> {
  const own = (spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? [])
  if (own.length > 0) return own
  try {
    const account = await client.get(serviceAccounts, spec.serviceAccountName || 'default', { namespace })
    return (account.imagePullSecrets ?? []).flatMap(({ name }) => name ?? [])
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}

async function readSecret(client: Client, namespace: string, name: string): Promise<Secret | undefined> {
  try {
    return await client.get(secrets, name, { namespace })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
