/** The flags of what makes pods: their names, and whose they are. One table for parsing, help and completion. */

/**
 * `all`: of everything that is made, wherever it stands. `container`: of one container. `shared`: of one container, or before
 * the first image of all of them.
 */
export type FlagOwner = 'all' | 'container' | 'shared'

export interface FlagDefinition {
  /** The long name, without dashes. */
  readonly name: string
  readonly short?: string
  readonly owner: FlagOwner
  /** What stands for the value in the help; absent: a switch. */
  readonly value?: string
  /** The value may be left out; what follows is one if it looks like it. */
  readonly optional?: RegExp
  /** May be given several times. */
  readonly many?: true
  readonly help: string
}

const switchOf = (name: string, owner: FlagOwner, help: string, short?: string): FlagDefinition => ({
  ...{ name, owner, help },
  ...(short && { short }),
})
const valued = (name: string, owner: FlagOwner, value: string, help: string, short?: string): FlagDefinition => ({
  ...switchOf(name, owner, help, short),
  value,
})
const listOf = (name: string, owner: FlagOwner, value: string, help: string, short?: string): FlagDefinition => ({
  ...valued(name, owner, `${value}`, `${help} (again for more)`, short),
  many: true,
})

export const IMAGE: FlagDefinition = valued('image', 'container', 'image', 'what to run; a+b are two containers')

/** What a container is made of, for `run` and for drafts. */
export const CONTAINER_FLAGS: readonly FlagDefinition[] = [
  listOf('env', 'shared', 'name[=value]', "a variable; without a value, this shell's", 'e'),
  listOf('env-file', 'shared', 'file', 'variables from a file, a line each'),
  listOf('volume', 'shared', '[source:]path[:ro]', 'a directory of the node, a claim by its name, or an empty one', 'v'),
  listOf('mount', 'shared', 'type=…,target=…', 'bind, volume, tmpfs, empty, configmap or secret'),
  valued('user', 'shared', 'uid[:gid]', 'whom it runs as', 'u'),
  valued('workdir', 'shared', 'path', 'its working directory', 'w'),
  valued('cpu', 'shared', 'cores', 'how much processor it gets at most'),
  valued('memory', 'shared', 'bytes', 'how much memory it gets at most: 512m, 2g, 1Gi', 'm'),
  valued('pull', 'shared', 'when', 'always, missing or never'),
  switchOf('privileged', 'shared', 'with every right on the node'),
  switchOf('read-only', 'shared', 'its root file system cannot be written'),
  listOf('cap-add', 'shared', 'capability', 'one of root’s rights more'),
  listOf('cap-drop', 'shared', 'capability', 'one of root’s rights less'),
  listOf('port', 'container', '[host:]port[/udp]', 'a port that it listens on', 'p'),
  valued('entrypoint', 'container', 'program', "in place of the image's own"),
  switchOf('interactive', 'container', 'with standard input', 'i'),
  switchOf('tty', 'container', 'on a terminal', 't'),
  valued('name', 'container', 'name', "the container's name; before the first image, that of the whole"),
]

/** What is about the whole. */
export const RUN_FLAGS: readonly FlagDefinition[] = [
  valued('as', 'all', 'kind', 'pod, job, deployment or rc (default: a pod for what runs once, else a deployment)'),
  switchOf('once', 'all', 'to its end; passes its output and exit code on'),
  switchOf('forever', 'all', 'keep it running, arguments or not'),
  valued('replicas', 'all', 'count', 'how many pods'),
  valued('restart', 'all', 'policy', 'no, on-failure[:count], always'),
  switchOf('rm', 'all', 'remove it at its end, on Ctrl-C, and when this command is gone'),
  switchOf('detach', 'all', 'do not wait for its end', 'd'),
  { ...valued('expose', 'all', 'port[:target]', 'make a Service of that name too'), optional: /^\d+(:\d+)?(\/(tcp|udp))?$/ },
  listOf('label', 'all', 'name[=value]', 'a label', 'l'),
  listOf('annotation', 'all', 'name=value', 'an annotation'),
  valued('hostname', 'all', 'name', "the pod's own host name"),
  valued('network', 'all', 'which', "host: the node's own"),
  valued('service-account', 'all', 'name', 'whom the pod is to the API'),
  valued('pin', 'all', 'when', 'images with their digests: auto, require or off (default: $SKIFF_PIN, else auto)'),
  { ...valued('dry-run', 'all', 'where', 'client or server: only show what would be made') },
  valued('output', 'all', 'format', 'json, yaml, name, jsonpath=… or custom-columns=…', 'o'),
]

const POD_FLAG_NAMES = ['restart', 'label', 'annotation', 'hostname', 'network', 'service-account']

/** What is about a draft. */
export const DRAFT_FLAGS: readonly FlagDefinition[] = [
  valued('pending', 'all', 'names', 'who must approve before it can run, joined by commas'),
  valued('expires-after', 'all', 'duration', 'when it goes unless it is run: 90m, 7d, never (default: 24h)'),
  ...RUN_FLAGS.filter(({ name }) => POD_FLAG_NAMES.includes(name)),
]

/** As commander and its help have it: `-e, --env <name=value>`. */
export function flagSyntax({ name, short, value, optional }: FlagDefinition): string {
  const words = `${short ? `-${short}, ` : ''}--${name}`
  return value === undefined ? words : `${words} ${optional ? `[${value}]` : `<${value}>`}`
}
