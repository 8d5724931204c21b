/**
 * Plans a container's root filesystem as two mount tables and the places that have to exist between them. The tables are
 * mounted by one `mount --all` each, in the container's own mount namespace. Planning looks at the image's files and changes nothing.
 */
import { chmodSync, lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Mount } from '../runtime.ts'

export interface RootPlan {
  /** Directories to make first. */
  prepare: string[]
  /** First table: the root itself, and the parts that the host shows. */
  base: string[]
  /** Absolute paths (below the root) that must exist after the first table. */
  directories: string[]
  files: string[]
  /** Second table: /proc, /dev and volumes. */
  rest: string[]
}

export interface RootRequest {
  root: string
  /** The container's own; writable layers go below it. */
  directory: string
  /** Made by `makeSkeleton`. */
  skeleton: string
  /** Topmost first. */
  layers: readonly string[]
  hostBase: boolean
  /** Never visible in a container, whatever part of the host it lies in: the cluster's keys are in there. */
  dataDirectory: string
  readOnly: boolean
  /** `/etc/hosts` and the like come first, volumes follow. */
  mounts: readonly Mount[]
}

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty']
/**
 * What a host-based image has of the host. Not the whole root: the data directory, people's files and `/var` stay out of
 * sight, and overlayfs takes no layers that lie inside one another.
 */
const HOST_PARTS = ['usr', 'etc', 'opt', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'nix', 'gnu']
const EMPTY_PARTS: readonly [string, number][] = [
  ['tmp', 0o1777],
  ['run', 0o755],
  ['run/lock', 0o1777],
  ['root', 0o700],
  ['home', 0o755],
  ['mnt', 0o755],
  ['srv', 0o755],
  ['var', 0o755],
  ['var/tmp', 0o1777],
  ['var/cache', 0o755],
  ['var/lib', 0o755],
  ['var/log', 0o755],
  ['proc', 0o555],
  ['sys', 0o555],
  ['dev', 0o755],
]

/** Makes what lies beneath a host-based image where the host shows nothing; shared by all containers, never written. */
export function makeSkeleton(directory: string): void {
  mkdirSync(directory, { recursive: true })
  for (const [path, mode] of EMPTY_PARTS) {
    mkdirSync(join(directory, path), { recursive: true })
    chmodSync(join(directory, path), mode)
  }
  symlinkSync('/run', join(directory, 'var/run'))
  symlinkSync('/run/lock', join(directory, 'var/lock'))
  for (const part of HOST_PARTS) {
    const kind = kindOf(`/${part}`)
    if (kind === 'link') symlinkSync(readlinkSync(`/${part}`), join(directory, part))
    if (kind === 'directory') mkdirSync(join(directory, part))
  }
}

export function planRoot(request: RootRequest): RootPlan {
  const { root, hostBase } = request
  const parts = hostBase
    ? HOST_PARTS.filter((part) => kindOf(`/${part}`) === 'directory' && !within(request.dataDirectory, `/${part}`))
    : []
  const lower = [...request.layers, ...(hostBase ? [request.skeleton] : [])]
  const plan: RootPlan = { base: [], prepare: [], directories: [], files: [], rest: [] }
  const overlay = (name: string, target: string, directories: string[]) => {
    const [upper, work] = [join(request.directory, 'upper', name), join(request.directory, 'work', name)]
    plan.prepare.push(upper, work)
    const options = `lowerdir=${directories.map(escapeColon).join(':')},upperdir=${escapeColon(upper)},workdir=${escapeColon(work)}`
    plan.base.push(entry('overlay', target, 'overlay', options))
    // Read-only comes after the mount points were made, and leaves the mounts below as they are.
    if (request.readOnly) plan.rest.push(entry('none', target, 'none', 'remount,ro'))
  }
  overlay('root', root, lower)
  for (const part of parts) {
    const layers = request.layers.map((layer) => join(layer, part)).filter((path) => kindOf(path) === 'directory')
    overlay(part, join(root, part), [...layers, `/${part}`])
  }
  const places = { lower, parts: parts.map((part) => `/${part}`) }

  const mount = (path: string, line: (target: string) => string, file = false) => {
    const target = root + resolveInside(places, path)
    plan.directories.push(file ? dirname(target) : target)
    if (file) plan.files.push(target)
    plan.rest.push(line(target))
  }
  const node = dirname(dirname(process.execPath))
  const nodeShown = parts.some((part) => within(node, `/${part}`) && statSync(node).dev === statSync(`/${part}`).dev)
  if (hostBase && !nodeShown && node !== '/') mount(node, (target) => entry(node, target, 'none', 'bind,ro'))
  mount('/proc', (target) => entry('proc', target, 'proc', 'nosuid,nodev,noexec'))
  mount('/sys', (target) => entry('sysfs', target, 'sysfs', 'nosuid,nodev,noexec,ro'))
  mount('/dev', (target) => entry('tmpfs', target, 'tmpfs', 'mode=755,nosuid,size=65536k'))
  for (const item of request.mounts) {
    const options = `${item.propagation && item.propagation !== 'None' ? 'rbind' : 'bind'}${item.readOnly ? ',ro' : ''}`
    mount(item.containerPath, (target) => entry(item.hostPath, target, 'none', options), !statSync(item.hostPath).isDirectory())
  }
  return plan
}

/** The mount table of /dev, for after its tmpfs; the nodes are the host's. */
export function deviceTable(root: string): { table: string[]; files: string[]; directories: string[] } {
  const table = DEVICES.map((name) => entry(`/dev/${name}`, `${root}/dev/${name}`, 'none', 'bind'))
  table.push(entry('devpts', `${root}/dev/pts`, 'devpts', 'newinstance,ptmxmode=0666,mode=0620'))
  table.push(entry('tmpfs', `${root}/dev/shm`, 'tmpfs', 'mode=1777,nosuid,nodev,size=65536k'))
  return {
    table,
    files: DEVICES.map((name) => `${root}/dev/${name}`),
    directories: [`${root}/dev/pts`, `${root}/dev/shm`],
  }
}

/** Follows the image's own symbolic links, so that a link in an image never leads to a place of the host. */
function resolveInside(places: { lower: string[]; parts: string[] }, path: string, depth = 0): string {
  if (depth > 40) throw new Error(`too many symbolic links: ${path}`)
  let done = ''
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  for (const [index, part] of parts.entries()) {
    if (part === '..') {
      done = dirname(done || '/').replace(/\/$/, '')
      continue
    }
    const here = `${done}/${part}`
    const lower = places.parts.some((part) => within(here, part)) ? [...places.lower, '/'] : places.lower
    const layer = lower.find((directory) => kindOf(join(directory, here)))
    if (layer !== undefined && kindOf(join(layer, here)) === 'link') {
      const link = readlinkSync(join(layer, here))
      const target = link.startsWith('/') ? link : `${done}/${link}`
      return resolveInside(places, [target, ...parts.slice(index + 1)].join('/'), depth + 1)
    }
    done = here
  }
  return done || '/'
}

function kindOf(path: string): 'directory' | 'link' | 'other' | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (!stats) return undefined
  return stats.isSymbolicLink() ? 'link' : stats.isDirectory() ? 'directory' : 'other'
}

function within(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`)
}

function entry(source: string, target: string, type: string, options: string): string {
  return `${escapeTable(source)} ${escapeTable(target)} ${type} ${escapeTable(options)} 0 0`
}

function escapeTable(text: string): string {
  return text.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

function escapeColon(path: string): string {
  return path.replace(/[:,\\]/g, '\\$&')
}
