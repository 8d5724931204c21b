/** Warnings about volumes whose files hide each other. */
import { quote } from '../field-errors.ts'
import type { Volume, VolumeProjection } from '../types.ts'

interface File {
  readonly path: string
  /** Where it comes from, where a volume has several sources. */
  readonly source: string
}

export function warnOfOverlappingFiles(volumes: readonly Volume[], warnings: string[]): void {
  for (const { name, configMap, secret, downwardAPI, projected } of volumes) {
    const warn = (kind: string, files: readonly File[]) => warnOfOverlap(`volume ${quote(name)} (${kind})`, files, warnings)
    if (configMap?.items) warn(`ConfigMap ${quote(configMap.name ?? '')}`, filesOf(configMap.items))
    if (secret?.items) warn(`Secret ${quote(secret.secretName ?? '')}`, filesOf(secret.items))
    if (downwardAPI?.items) warn('DownwardAPI', filesOf(downwardAPI.items))
    if (!projected) continue
    const files: File[] = []
    for (const source of projected.sources ?? []) {
      if (Object.values(source).every((value) => value === undefined)) {
        warnings.push(`volume ${quote(name)} (Projected) has no sources provided`)
      } else files.push(...projectedFiles(source))
    }
    warn('Projected', files)
  }
}

const filesOf = (items: readonly { path: string }[] | undefined, source = ''): File[] =>
  (items ?? []).map(({ path }) => ({ path, source }))

function projectedFiles({ configMap, secret, downwardAPI, ...rest }: VolumeProjection): File[] {
  const { serviceAccountToken: token, clusterTrustBundle: bundle, podCertificate: certificate } = rest
  if (configMap) return filesOf(configMap.items, `ConfigMap ${quote(configMap.name ?? '')}`)
  if (secret) return filesOf(secret.items, `Secret ${quote(secret.name ?? '')}`)
  if (downwardAPI) return filesOf(downwardAPI.items, 'DownwardAPI')
  if (token) return filesOf([token], 'ServiceAccountToken')
  if (bundle) return filesOf([bundle], `ClusterTrustBundle ${quote(bundle.name ?? bundle.signerName ?? '')}`)
  return [
    { path: certificate?.certificateChainPath ?? '', source: 'PodCertificate chain' },
    { path: certificate?.keyPath ?? '', source: 'PodCertificate key' },
    { path: certificate?.credentialBundlePath ?? '', source: 'PodCertificate credential bundle' },
  ]
}

function warnOfOverlap(title: string, files: readonly File[], warnings: string[]): void {
  const before: File[] = []
  for (const { path, source } of files) {
    const file = { path: path.replace(/\/+$/, ''), source }
    if (file.path === '') continue
    for (const other of before) {
      const inside = `${other.path}/`.startsWith(`${file.path}/`) || `${file.path}/`.startsWith(`${other.path}/`)
      if (inside) warnings.push(`${title}: overlapping paths: ${shown(file)} with ${shown(other)}`)
    }
    before.push(file)
  }
}

function shown({ path, source }: File): string {
  return source === '' ? quote(path) : `${quote(path)} (${source})`
}
