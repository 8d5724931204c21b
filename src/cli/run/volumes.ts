/** `--volume` and `--mount` in docker's words, as a pod's volumes and a container's mounts. Pure but for the current directory. */
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Volume, VolumeMount } from '../../api/types.ts'
import { CommandError } from '../io.ts'

/** Of one pod: what the same source is, is one volume. */
export class Volumes {
  readonly #byKey = new Map<string, Volume>()
  readonly #existing: readonly Volume[]

  /** Those that are there already are used again where they are the same. */
  constructor(existing: readonly Volume[] = []) {
    this.#existing = existing
  }

  get all(): Volume[] {
    const made = [...this.#byKey.values()]
    return [...this.#existing, ...made.filter(({ name }) => !this.#existing.some((one) => one.name === name))]
  }

  /** `/inside`, `/host:/inside`, `claim:/inside`, each with `:ro`. */
  volume(text: string): VolumeMount {
    const [first = '', second, mode, ...more] = text.split(':')
    if (second === undefined || (mode === undefined && /^r[ow]$/.test(second)))
      return this.#mount({ emptyDir: {} }, first, second, text, `empty ${text}`)
    if (more.length > 0) throw refuse('--volume', text)
    const isPath = /^[./~]/.test(first)
    const source: Source = isPath ? hostPath(first) : { persistentVolumeClaim: { claimName: first } }
    return this.#mount(source, second, mode, text, `${isPath ? 'host' : 'claim'} ${first}`)
  }

  /** `type=bind,source=…,target=…,readonly`, as docker has it, and Kubernetes' own types. */
  mount(text: string): VolumeMount {
    const fields = new Map<string, string>()
    for (const part of text.split(',')) {
      const at = part.indexOf('=')
      const name = at < 0 ? part : part.slice(0, at)
      const known = FIELDS[name]
      if (!known || fields.has(known))
        throw new CommandError(`--mount ${text}: ${known ? `two of ${known}` : `unknown ${JSON.stringify(name)}`}`)
      fields.set(known, at < 0 ? 'true' : part.slice(at + 1))
    }
    const type = fields.get('type') ?? 'volume'
    const source = fields.get('source') ?? ''
    const readOnly = fields.get('readonly')
    if (readOnly !== undefined && readOnly !== 'true' && readOnly !== 'false') throw refuse('--mount', text)
    const made = sourceOf(type, source, fields.get('tmpfs-size'), text)
    return this.#mount(
      made,
      fields.get('target') ?? '',
      readOnly === 'true' ? 'ro' : undefined,
      text,
      `${type} ${source || text}`,
    )
  }

  #mount(source: Source, path: string, mode: string | undefined, text: string, key: string): VolumeMount {
    if (!path.startsWith('/')) throw new CommandError(`${text}: the path in the container must begin with /`)
    if (mode !== undefined && mode !== 'ro' && mode !== 'rw') throw refuse('--volume', text)
    const known = this.#byKey.get(key) ?? { name: this.#nameFor(key, source), ...source }
    this.#byKey.set(key, known)
    return { name: known.name, mountPath: path, ...(mode === 'ro' && { readOnly: true }) }
  }

  /** Says where it is from, as far as that is a name. */
  #nameFor(key: string, source: Source): string {
    const plain = key
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 50)
    const isTaken = (name: string) => {
      const same = this.#existing.find((one) => one.name === name)
      return (
        [...this.#byKey.values()].some((one) => one.name === name) ||
        (same && !isDeepStrictEqual({ ...same, name }, { name, ...source }))
      )
    }
    let name = plain
    for (let n = 2; isTaken(name); n++) name = `${plain}-${n}`
    return name
  }
}

type Source = Omit<Volume, 'name'>

const FIELDS: Record<string, string> = {
  type: 'type',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'readonly',
  ro: 'readonly',
  'tmpfs-size': 'tmpfs-size',
}

function sourceOf(type: string, source: string, size: string | undefined, text: string): Source {
  const named = () => {
    if (source === '') throw new CommandError(`--mount ${text}: type=${type} needs source=…`)
    return source
  }
  if (size !== undefined && type !== 'tmpfs') throw new CommandError(`--mount ${text}: tmpfs-size goes with type=tmpfs`)
  switch (type) {
    case 'bind':
      return hostPath(named())
    case 'volume':
      return source === '' ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: source } }
    case 'empty':
      return { emptyDir: {} }
    case 'tmpfs':
      return { emptyDir: { medium: 'Memory', ...(size !== undefined && { sizeLimit: size }) } }
    case 'configmap':
      return { configMap: { name: named() } }
    case 'secret':
      return { secret: { secretName: named() } }
    default:
      throw new CommandError(`--mount ${text}: type=${type} is not known: bind, volume, tmpfs, empty, configmap or secret`)
  }
}

function hostPath(path: string): Source {
  if (path.startsWith('~')) throw new CommandError(`${path} is no path: your shell replaces ~ only where it begins a word`)
  return { hostPath: { path: resolve(path) } }
}

function refuse(flag: string, text: string): CommandError {
  return new CommandError(`${flag} ${text} is not understood: [SOURCE:]PATH[:ro]`)
}
