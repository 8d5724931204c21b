/** The host's own nameservers. */
import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'

const RESOLV_CONF = '/etc/resolv.conf'
/** As many as resolvers use. */
const MAX_NAMESERVERS = 3

/** IPv4 addresses from /etc/resolv.conf but for `ours`, which would ask in circles. None when there is no such file. */
export async function hostNameservers(ours: readonly string[]): Promise<string[]> {
  let text: string
  try {
    text = await readFile(RESOLV_CONF, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return parseNameservers(text).filter((address) => !ours.includes(address))
}

function parseNameservers(text: string): string[] {
  const found = [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, address = '']) => address)
  return found.filter((address) => isIPv4(address)).slice(0, MAX_NAMESERVERS)
}
