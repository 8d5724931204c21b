/** The objects that `skiff create KIND` makes from its flags. Decides everything, sends nothing. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { KubeObject } from '../api/object.ts'
import { CommandError } from './io.ts'

export interface GeneratedFlags {
  image?: string[]
  replicas?: number
  port?: number
  tcp?: string[]
  fromLiteral?: string[]
  fromFile?: string[]
}

/** Throws CommandError for flags that say nothing sensible. */
export function generateObject(kind: string, words: readonly string[], flags: GeneratedFlags): KubeObject {
  const [first = '', second = ''] = words
  switch (kind) {
    case 'deployment':
      return deployment(first, words.slice(1), flags)
    case 'service':
      return service(first, second, flags)
    case 'configmap':
      return configMap(first, flags)
    case 'secret':
      return secret(first, second, flags)
    case 'namespace':
      return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: first } }
    default:
      throw new CommandError(`create ${kind} is not supported: deployment, service, configmap, secret or namespace`)
  }
}

function deployment(name: string, command: readonly string[], { image = [], replicas, port }: GeneratedFlags): KubeObject {
  if (command.length > 0 && image.length > 1) throw new CommandError('a command cannot be given together with several images')
  const containers = image.map((one) => ({
    name: containerName(one),
    image: one,
    ...(command.length > 0 && { command: [...command] }),
    ...(port !== undefined && { ports: [{ containerPort: port }] }),
  }))
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: { replicas, selector: { matchLabels: labels }, template },
  }
}

/** The image's last part without tag and digest, as far as it is a name. */
function containerName(image: string): string {
  const last = image.split('@')[0]!.split('/').at(-1)!.split(':')[0]!
  return (
    last
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, '-')
      .replaceAll(/^-+|-+$/g, '') || 'main'
  )
}

const SERVICE_TYPES: Record<string, string> = { clusterip: 'ClusterIP', nodeport: 'NodePort' }

function service(typeName: string, name: string, { tcp = [] }: GeneratedFlags): KubeObject {
  const type = SERVICE_TYPES[typeName]
  if (!type) throw new CommandError(`create service ${typeName} is not supported: clusterip or nodeport`)
  const labels = { app: name }
  const ports = tcp.map((text) => {
    const match = /^(\d+)(?::([\w-]+))?$/.exec(text)
    if (!match) throw new CommandError(`--tcp ${JSON.stringify(text)} is no PORT[:TARGETPORT]`)
    const [, port = '', target = port] = match
    const targetPort = /^\d+$/.test(target) ? Number(target) : target
    return { name: text.replaceAll(':', '-'), port: Number(port), protocol: 'TCP', targetPort }
  })
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, labels }, spec: { type, selector: labels, ports } }
}

function configMap(name: string, flags: GeneratedFlags): KubeObject {
  const data: Record<string, string> = {}
  const binaryData: Record<string, string> = {}
  for (const [key, bytes] of entriesOf(flags)) {
    const text = bytes.toString('utf8')
    if (Buffer.from(text).equals(bytes)) data[key] = text
    else binaryData[key] = bytes.toString('base64')
  }
  const some = (map: Record<string, string>) => Object.keys(map).length > 0
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    ...(some(data) && { data }),
    ...(some(binaryData) && { binaryData }),
  }
}

function secret(type: string, name: string, flags: GeneratedFlags): KubeObject {
  if (type !== 'generic') throw new CommandError(`create secret ${type} is not supported: generic`)
  const data = Object.fromEntries([...entriesOf(flags)].map(([key, bytes]) => [key, bytes.toString('base64')]))
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', data }
}

/** Keys and contents of literals, files and the files of directories. */
function entriesOf({ fromLiteral = [], fromFile = [] }: GeneratedFlags): Map<string, Buffer> {
  const entries = new Map<string, Buffer>()
  const add = (key: string, bytes: Buffer) => {
    if (entries.has(key)) throw new CommandError(`the key ${JSON.stringify(key)} is given twice`)
    entries.set(key, bytes)
  }
  for (const text of fromLiteral) {
    const at = text.indexOf('=')
    if (at <= 0) throw new CommandError(`--from-literal ${JSON.stringify(text)} is no KEY=VALUE`)
    add(text.slice(0, at), Buffer.from(text.slice(at + 1)))
  }
  for (const text of fromFile) {
    const at = text.indexOf('=')
    const file = text.slice(at + 1)
    const stat = statSync(file, { throwIfNoEntry: false })
    if (!stat) throw new CommandError(`the path ${JSON.stringify(file)} does not exist`)
    if (!stat.isDirectory()) add(at > 0 ? text.slice(0, at) : path.basename(file), readFileSync(file))
    else if (at > 0) throw new CommandError(`--from-file ${JSON.stringify(text)}: a directory takes no key`)
    else
      for (const entry of readdirSync(file, { withFileTypes: true }))
        if (entry.isFile()) add(entry.name, readFileSync(path.join(file, entry.name)))
  }
  return entries
}
