/**
 * Writes `src/api/schema/types.json`: what Kubernetes' Go sources say about every type of the groups and versions that are
 * served as stable, as facts only (names, numbers, shapes, keys, defaults; no descriptions).
 *
 *     npx tsx tools/generate-schema.ts DIRECTORY
 *
 * DIRECTORY holds `api`, `apimachinery` and `apiextensions-apiserver` as in `k8s.io/`. Debian packages them:
 * `apt-get download golang-k8s-api-dev golang-k8s-apimachinery-dev golang-k8s-apiextensions-apiserver-dev` (suite sid),
 * `dpkg -x` each, and give `usr/share/gocode/src/k8s.io`. The result is the same for the same packages.
 *
 * A type is a list of fields, each one string: `name flags number shape attributes…`
 * - name: as in JSON; `...` for a struct whose fields are spliced in (it is a message of its own in protobuf).
 * - flags: `!` required · `?` omitted when empty · `*` a pointer in Go, so an empty value is kept · `0` omitted when zero · `-` none
 * - number: in protobuf, 0 for types that have no protobuf form
 * - shape: `[]` list of · `{}` map from string to · `()` list that protobuf wraps in a message of its own · a scalar in lower case ·
 *   `&Enum` · `Struct`; names of another package are written `core/v1.Struct`
 * - attributes: `list=atomic|set|map`, `keys=a,b`, `map=atomic`, `struct=atomic`, `merge=key`, `retain`, `default=JSON`
 * A type whose list starts with `@atomic` is an atomic struct.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type GoField, type GoFile, type GoType, type Markers, parseGoFile } from './generate-schema-go.ts'

const API = 'api/'
const META = 'apimachinery/pkg/apis/meta/v1'
const PACKAGES: Record<string, string> = {
  'meta/v1': META,
  'apiextensions/v1': 'apiextensions-apiserver/pkg/apis/apiextensions/v1',
}
const STABLE = [
  ...['core/v1', 'admission/v1', 'admissionregistration/v1', 'apps/v1', 'authentication/v1', 'authorization/v1'],
  ...['autoscaling/v1', 'autoscaling/v2', 'batch/v1', 'certificates/v1', 'coordination/v1', 'discovery/v1', 'events/v1'],
  ...['flowcontrol/v1', 'networking/v1', 'node/v1', 'policy/v1', 'rbac/v1', 'resource/v1', 'scheduling/v1', 'storage/v1'],
]
for (const name of STABLE) PACKAGES[name] = API + name

/** Go types with a JSON and protobuf form of their own, by import path and name. */
const SCALARS: Record<string, string> = {
  [`${META}.Time`]: 'time',
  [`${META}.MicroTime`]: 'microtime',
  [`${META}.Duration`]: 'duration',
  [`${META}.FieldsV1`]: 'fields',
  'apimachinery/pkg/api/resource.Quantity': 'quantity',
  'apimachinery/pkg/util/intstr.IntOrString': 'intstr',
  'apimachinery/pkg/runtime.RawExtension': 'raw',
  'apimachinery/pkg/types.UID': 'string',
  [`${PACKAGES['apiextensions/v1']}.JSON`]: 'json',
  [`${PACKAGES['apiextensions/v1']}.JSONSchemaPropsOrArray`]: 'schemaOrArray',
  [`${PACKAGES['apiextensions/v1']}.JSONSchemaPropsOrBool`]: 'schemaOrBool',
  [`${PACKAGES['apiextensions/v1']}.JSONSchemaPropsOrStringArray`]: 'schemaOrStrings',
}
const BASIC = new Set(['string', 'bool', 'int32', 'int64', 'float64', 'byte', 'uint64', 'uint32', 'int'])
/** Types of these packages that never appear in a request or an answer. */
const SKIPPED = new Set([
  'InternalEvent',
  'Timestamp',
  'ProtoTime',
  'ProtoMicroTime',
  'FactoryOptions',
  'TypeMeta',
  'DeprecatedTypeMeta',
])

interface Package {
  name: string
  path: string
  group: string
  types: Map<string, GoType>
  constants: Map<string, Map<string, string>>
}
export interface TypeFacts {
  packages: Record<
    string,
    { prefix: string; group: string; version: string; enums: Record<string, string[]>; types: Record<string, string[]> }
  >
}

/** The aggregator's types are not in the packages; they are small and stable. */
const APIREGISTRATION: TypeFacts['packages'][string] = {
  prefix: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  group: 'apiregistration.k8s.io',
  version: 'v1',
  enums: {},
  types: {
    APIService: [
      '... - 0 meta/v1.TypeMeta',
      'metadata ? 1 meta/v1.ObjectMeta',
      'spec ? 2 APIServiceSpec',
      'status ? 3 APIServiceStatus',
    ],
    APIServiceCondition: [
      'type ! 1 string',
      'status ! 2 string',
      'lastTransitionTime ? 3 time',
      'reason ? 4 string',
      'message ? 5 string',
    ],
    APIServiceList: ['... - 0 meta/v1.TypeMeta', 'metadata ? 1 meta/v1.ListMeta', 'items ! 2 []APIService'],
    APIServiceSpec: [
      'service ?* 1 ServiceReference',
      'group ? 2 string',
      'version ? 3 string',
      'insecureSkipTLSVerify ? 4 bool',
      'caBundle ? 5 bytes list=atomic',
      'groupPriorityMinimum ! 7 int32',
      'versionPriority ! 8 int32',
    ],
    APIServiceStatus: ['conditions ? 1 []APIServiceCondition list=map keys=type merge=type'],
    ServiceReference: ['namespace ? 1 string', 'name ? 2 string', 'port ?* 3 int32'],
  },
}

/** So are those of the metrics API, which has a package of its own. */
const METRICS: TypeFacts['packages'][string] = {
  prefix: 'io.k8s.metrics.pkg.apis.metrics.v1beta1',
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  enums: {},
  types: {
    ContainerMetrics: ['name ! 1 string', 'usage ! 2 {}quantity'],
    NodeMetrics: [
      '... - 0 meta/v1.TypeMeta',
      'metadata ? 1 meta/v1.ObjectMeta',
      'timestamp ! 2 time',
      'window ! 3 duration',
      'usage ! 4 {}quantity',
    ],
    NodeMetricsList: ['... - 0 meta/v1.TypeMeta', 'metadata ? 1 meta/v1.ListMeta', 'items ! 2 []NodeMetrics'],
    PodMetrics: [
      '... - 0 meta/v1.TypeMeta',
      'metadata ? 1 meta/v1.ObjectMeta',
      'timestamp ! 2 time',
      'window ! 3 duration',
      'containers ! 4 []ContainerMetrics',
    ],
    PodMetricsList: ['... - 0 meta/v1.TypeMeta', 'metadata ? 1 meta/v1.ListMeta', 'items ! 2 []PodMetrics'],
  },
}

/** Reads the Go packages under `root` (the `k8s.io` directory) and returns the facts. */
export function generateSchema(root: string): TypeFacts {
  const byPath = new Map<string, Package>()
  for (const [name, path] of Object.entries(PACKAGES)) byPath.set(path, readPackage(root, name, path))
  const packages: TypeFacts['packages'] = {}
  for (const entry of byPath.values()) packages[entry.name] = describePackage(entry, byPath)
  packages['apiregistration/v1'] = APIREGISTRATION
  packages['metrics/v1beta1'] = METRICS
  return { packages: Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function readPackage(root: string, name: string, path: string): Package {
  const result: Package = { name, path, group: '', types: new Map(), constants: new Map() }
  for (const file of readdirSync(join(root, path)).sort()) {
    if (!file.endsWith('.go') || /^zz_|_test\.go$|generated|fuzz/.test(file)) continue
    const parsed = parseGoFile(readFileSync(join(root, path, file), 'utf8'))
    if (parsed.groupName !== undefined) result.group = parsed.groupName
    for (const type of parsed.types) result.types.set(type.name, type)
    for (const [type, values] of parsed.constants)
      result.constants.set(type, new Map([...(result.constants.get(type) ?? []), ...values]))
  }
  return result
}

function describePackage(source: Package, byPath: ReadonlyMap<string, Package>): TypeFacts['packages'][string] {
  const types: Record<string, string[]> = {}
  const enums: Record<string, string[]> = {}
  for (const type of [...source.types.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const values = source.constants.get(type.name)
    if (type.markers.has('enum') && values) enums[type.name] = [...new Set(values.values())].sort()
    const isType = /^[A-Z]/.test(type.name) && !SKIPPED.has(type.name) && !SCALARS[`${source.path}.${type.name}`]
    if (type.underlying !== undefined || !isType) continue
    const fields = type.fields.flatMap((field) => describeField(field, type.file, source, byPath) ?? [])
    if (fields.length === 0 && type.fields.length > 0) continue
    types[type.name] = type.markers.get('structType')?.includes('atomic') ? ['@atomic', ...fields] : fields
  }
  const prefix = source.path === META ? 'io.k8s.apimachinery.pkg.apis.meta.v1' : `io.k8s.${source.path.replaceAll('/', '.')}`
  return { prefix, group: source.group, version: source.name.split('/')[1]!, enums, types }
}

function describeField(field: GoField, file: GoFile, source: Package, byPath: ReadonlyMap<string, Package>): string | undefined {
  const json = field.tags.get('json')
  if (json === undefined || json === '-') return undefined
  const [name, ...options] = json.split(',') as [string, ...string[]]
  const number = field.tags.get('protobuf')?.split(',')[1] ?? '0'
  const pointer = field.type.startsWith('*')
  const shape = describeShape(pointer ? field.type.slice(1) : field.type, file, source, byPath)
  if (name === '' && options.includes('inline')) return `... - ${number} ${shape}`
  const { markers } = field
  const omitempty = options.includes('omitempty')
  const required = markers.has('required') || (!markers.has('optional') && !omitempty)
  const flags = `${required ? '!' : ''}${omitempty ? '?' : ''}${pointer ? '*' : ''}${options.includes('omitzero') ? '0' : ''}`
  const attributes = describeAttributes(field.tags, markers, source)
  return [name, flags || '-', number, shape, ...attributes].join(' ')
}

function describeAttributes(tags: ReadonlyMap<string, string>, markers: Markers, source: Package): string[] {
  const attributes: string[] = []
  const listType = markers.get('listType')?.[0] ?? markers.get('k8s:listType')?.[0]
  const keys = markers.get('listMapKey') ?? markers.get('k8s:listMapKey')
  if (listType) attributes.push(`list=${listType}`)
  if (keys) attributes.push(`keys=${keys.join(',')}`)
  if (markers.get('mapType')?.[0] === 'atomic') attributes.push('map=atomic')
  if (markers.get('structType')?.[0] === 'atomic') attributes.push('struct=atomic')
  const strategy = tags.get('patchStrategy')?.split(',') ?? []
  if (strategy.includes('merge')) attributes.push(`merge=${tags.get('patchMergeKey') ?? ''}`)
  if (strategy.includes('retainKeys')) attributes.push('retain')
  if (strategy.includes('replace')) attributes.push('replace')
  const fallback = markers.get('default')?.[0]
  if (fallback !== undefined) attributes.push(`default=${resolveDefault(fallback, source)}`)
  return attributes
}

/** A default is JSON, or `ref(ConstantName)`. */
function resolveDefault(value: string, source: Package): string {
  const reference = /^ref\((\w+)\)$/.exec(value)
  if (!reference) return JSON.stringify(JSON.parse(value))
  for (const constants of source.constants.values()) {
    const constant = constants.get(reference[1]!)
    if (constant !== undefined) return JSON.stringify(constant)
  }
  throw new Error(`the default ${value} in ${source.name} names an unknown constant`)
}

function describeShape(type: string, file: GoFile, source: Package, byPath: ReadonlyMap<string, Package>): string {
  if (type === '[]byte') return 'bytes'
  if (type === 'interface{}') return 'json'
  if (type.startsWith('*')) return describeShape(type.slice(1), file, source, byPath)
  if (type.startsWith('[]')) return `[]${describeShape(type.slice(2), file, source, byPath)}`
  const map = /^map\[[\w.]+\](.+)$/.exec(type)
  if (map) return `{}${describeShape(map[1]!, file, source, byPath)}`
  if (BASIC.has(type)) return type
  const [alias, name] = type.includes('.') ? (type.split('.') as [string, string]) : [undefined, type]
  const path = alias === undefined ? source.path : (file.imports.get(alias) ?? '').replace(/^k8s\.io\//, '')
  const scalar = SCALARS[`${path}.${name}`]
  if (scalar) return scalar
  const owner = byPath.get(path)
  if (!owner) throw new Error(`${type} in ${source.name} is of the unknown package ${path}`)
  const target = owner.types.get(name)
  if (!target) throw new Error(`${type} in ${source.name} is not declared`)
  const qualified = owner === source ? name : `${owner.name}.${name}`
  if (target.underlying === undefined) return qualified
  if (target.markers.has('enum') && owner.constants.has(name)) return `&${qualified}`
  const shape = describeShape(target.underlying, target.file, owner, byPath)
  if (target.markers.has('protobuf.nullable') && shape.startsWith('[]')) return `()${shape.slice(2)}`
  return shape
}

/** One type a line, so that a change of the API reads well in a diff. */
function format(facts: TypeFacts): string {
  const blocks = Object.entries(facts.packages).map(([name, entry]) => {
    const lines = (table: Record<string, string[]>) =>
      Object.entries(table).map(([key, value]) => `   ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    const head = `"prefix": ${JSON.stringify(entry.prefix)}, "group": ${JSON.stringify(entry.group)}, "version": ${JSON.stringify(entry.version)}`
    return ` ${JSON.stringify(name)}: {${head},\n  "enums": {\n${lines(entry.enums).join(',\n')}},\n  "types": {\n${lines(entry.types).join(',\n')}}}`
  })
  return `{"packages": {\n${blocks.join(',\n')}}}\n`
}

const directory = process.argv[2]
if (!directory) throw new Error('usage: tsx tools/generate-schema.ts DIRECTORY (the unpacked k8s.io directory)')
writeFileSync('src/api/schema/types.json', format(generateSchema(directory)))
