/** `skiff set env --from`: a variable for each key of a config map or secret, which refers to it and follows it. */
import type { EnvVar } from '../../api/types.ts'
import { configMaps, secrets } from '../../client/resources.ts'
import { CommandError, type Io } from '../io.ts'
import { type GlobalOptions, withSession } from '../session.ts'

export interface FromOptions extends GlobalOptions {
  /** `configmap/NAME` or `secret/NAME`, each. */
  from: readonly string[]
  prefix?: string | undefined
  /** Separated by commas. */
  keys?: string | undefined
}

export async function referencesFrom({ from, prefix = '', keys, ...options }: FromOptions, io: Io): Promise<EnvVar[]> {
  if (from.length === 0) return []
  const only = keys?.split(',').filter(Boolean)
  return withSession(options, io, async ({ client, namespace }) => {
    const references: EnvVar[] = []
    for (const text of from) {
      const [, kind, name = ''] = /^(configmaps?|cm|secrets?)\/([^/]+)$/.exec(text) ?? []
      if (!kind) throw new CommandError(`--from ${JSON.stringify(text)} is no configmap/NAME or secret/NAME`)
      const isSecret = kind.startsWith('s')
      const object = await client.get(isSecret ? secrets : configMaps, name, { namespace })
      const present = Object.keys(object.data ?? {}).sort()
      const missing = only?.find((key) => !present.includes(key))
      if (missing !== undefined)
        throw new CommandError(`${text} has no key ${JSON.stringify(missing)} (it has: ${present.join(', ')})`)
      for (const key of only ?? present) {
        const source = { name, key }
        const valueFrom = isSecret ? { secretKeyRef: source } : { configMapKeyRef: source }
        references.push({ name: variableName(prefix + key), valueFrom })
      }
    }
    return references
  })
}

/** `log-level` becomes `LOG_LEVEL`, as kubectl makes variables of keys. */
function variableName(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_]/g, '_').toUpperCase()
}
