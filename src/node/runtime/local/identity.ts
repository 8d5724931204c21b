/** Looks up who an image's process is: `user[:group]` by name or number, in the image's own files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerConfig, RuntimeError } from '../runtime.ts'
import type { Identity } from './launch.ts'

/** `lower`: directories of the root filesystem, topmost first. */
export function identityOf(config: ContainerConfig, imageUser: string, lower: readonly string[]): Identity {
  const further = [...(config.user?.supplementalGroups ?? []), ...(config.supplementalGroups ?? [])]
  const [name = '', group = ''] = config.user ? [String(config.user.uid), String(config.user.gid ?? '')] : imageUser.split(':')
  const lines = table(lower, '/etc/passwd')
  const line = lines.find((fields) => (/^\d+$/.test(name) ? fields[2] === name : fields[0] === name))
  if (name !== '' && !/^\d+$/.test(name) && !line) throw new RuntimeError('CreateContainerError', `the image has no user ${name}`)
  const uid = name === '' ? 0 : /^\d+$/.test(name) ? Number(name) : Number(line?.[2])
  if (config.runAsNonRoot && uid === 0)
    throw new RuntimeError('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root')
  const groups = table(lower, '/etc/group')
  const named = groups.find((fields) => fields[0] === group)
  if (group !== '' && !/^\d+$/.test(group) && !named)
    throw new RuntimeError('CreateContainerError', `the image has no group ${group}`)
  const gid = group === '' ? Number(line?.[3] ?? 0) : Number(/^\d+$/.test(group) ? group : named?.[2])
  const own = groups
    .filter((fields) => line?.[0] && (fields[3] ?? '').split(',').includes(line[0]))
    .map((fields) => Number(fields[2]))
  return { uid, gid, groups: [...new Set([...further, ...own])] }
}

function table(lower: readonly string[], path: string): string[][] {
  for (const directory of lower) {
    try {
      return readFileSync(join(directory, path), 'utf8')
        .split('\n')
        .map((line) => line.split(':'))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    }
  }
  return []
}
