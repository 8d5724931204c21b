/** The JavaScript client's configuration for a test server, as the admin. */
import { KubeConfig } from '@kubernetes/client-node'
import type { ApiServer } from '../../../src/server/contract.ts'

export async function adminConfig(server: ApiServer, url: string): Promise<KubeConfig> {
  const { certificate, key } = await server.issueClientCertificate('admin', ['system:masters'])
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'skiff', server: url, skipTLSVerify: false, caData: base64(server.caCertificate) },
    { name: 'admin', certData: base64(certificate), keyData: base64(key) },
  )
  return config
}
