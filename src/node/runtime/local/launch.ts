/**
 * The shell script that is pid 1 of a container: it mounts the root filesystem, starts the container's process in it and
 * says on descriptor 3 how that went (`ready`, then `exit <code>`). Pure text; starts nothing.
 */
import type { ContainerConfig } from '../runtime.ts'
import { deviceTable, type RootPlan } from './root-filesystem.ts'

export interface Tools {
  ip: string
  mount: string
  nsenter: string
  setpriv: string
  unshare: string
  sh: string
}

/** Who the container's process is; numbers, as the image's names were looked up. */
export interface Identity {
  uid: number
  gid: number
  groups: readonly number[]
  /** False where the groups cannot be set and stay as they are. */
  setGroups?: boolean
}

/** What a container may do when it asks for nothing, as container engines have it. */
const DEFAULT_CAPABILITIES = [
  'chown',
  'dac_override',
  'fsetid',
  'fowner',
  'mknod',
  'net_raw',
  'setgid',
  'setuid',
  'setfcap',
  'setpcap',
  'net_bind_service',
  'sys_chroot',
  'kill',
  'audit_write',
]
/** Needed to enter the root filesystem and to become the container's user; without privileges in the end they are lost. */
const ENTRY_CAPABILITIES = ['sys_chroot', 'setuid', 'setgid']

/** `writeTable` keeps a mount table as a file and answers its path: `mount` takes no other form. */
export function setupScript(
  root: string,
  plan: RootPlan,
  tools: Tools,
  cgroups: readonly string[],
  writeTable: (name: string, lines: readonly string[]) => string,
): string {
  const mountAll = (name: string, lines: readonly string[]) =>
    `${tools.mount} --no-mtab --all --fstab ${quote(writeTable(name, lines))}`
  const devices = deviceTable(root)
  const devAt = plan.rest.findIndex((line) => line.split(' ')[1] === `${root}/dev`)
  const first = plan.rest.slice(0, devAt + 1)
  const then = [...devices.table, ...plan.rest.slice(devAt + 1)]
  return `set -e
skiff_path=$PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin
${cgroups.map((path) => `echo 0 > ${quote(path)}`).join('\n')}
${mountAll('root', plan.base)}
mkdir -p ${plan.directories.map(quote).join(' ')}
${plan.files.map((path) => `[ -e ${quote(path)} ] || : > ${quote(path)}`).join('\n')}
${mountAll('system', first)}
mkdir -p ${[...devices.directories, ...plan.directories].map(quote).join(' ')}
${[...devices.files, ...plan.files].map((path) => `[ -e ${quote(path)} ] || : > ${quote(path)}`).join('\n')}
${mountAll('volumes', then)}
cd ${quote(`${root}/dev`)}
ln -s pts/ptmx ptmx; ln -s /proc/self/fd fd; ln -s fd/0 stdin; ln -s fd/1 stdout; ln -s fd/2 stderr
cd ${quote(root)}
${tools.mount} --no-mtab --move . /
echo ready >&3
set +e
PATH=$skiff_path "$@" 3>&-
echo "exit $?" >&3
`
}

/** The command that enters the root filesystem at the working directory as the container's user and runs `command`. */
export function entryCommand(
  tools: Tools,
  config: ContainerConfig,
  identity: Identity,
  workingDir: string,
  command: readonly string[],
): string[] {
  const groups = identity.groups.length > 0 ? `--groups=${identity.groups.join(',')}` : '--clear-groups'
  return [
    tools.setpriv,
    ...(identity.setGroups === false ? [] : [`--regid=${identity.gid}`, groups]),
    ...(config.privileged ? [] : [`--bounding-set=${boundingSet(config)}`]),
    ...(config.noNewPrivileges ? ['--no-new-privs'] : []),
    tools.unshare,
    '--root=.',
    `--wd=${workingDir}`,
    ...(identity.uid === 0 ? [] : [`--setuid=${identity.uid}`]),
    '--',
    ...command,
  ]
}

function boundingSet(config: ContainerConfig): string {
  const plain = (names: readonly string[]) => names.map((name) => name.toLowerCase().replace(/^cap_/, ''))
  const drop = plain(config.capabilities?.drop ?? [])
  const add = plain(config.capabilities?.add ?? [])
  const kept = drop.includes('all') ? [] : DEFAULT_CAPABILITIES.filter((name) => !drop.includes(name))
  if (add.includes('all')) return ['+all', ...drop.filter((name) => name !== 'all').map((name) => `-${name}`)].join(',')
  return ['-all', ...[...new Set([...kept, ...add, ...ENTRY_CAPABILITIES])].map((name) => `+${name}`)].join(',')
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
