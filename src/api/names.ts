/**
 * What makes a name, label, key, port or address well formed, and Kubernetes' own texts for what does not. Each function gives
 * the complaints about a string, none when it is fine. Texts are those of k8s.io/apimachinery `util/validation`.
 */
const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const UNDERSCORED = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const UNDERSCORED_SUBDOMAIN = `_?${UNDERSCORED}(\\._?${UNDERSCORED})*`
const LABEL1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = `(${KEY})?`
const WILDCARD = `\\*\\.${SUBDOMAIN}`
const CONFIG_KEY = '[-._a-zA-Z0-9]+'
const HTTP_HEADER = '[-A-Za-z0-9]+'
const PERCENT = '[0-9]+%'
const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*'
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"

const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`)
const labelPattern = whole(LABEL)
const subdomainPattern = whole(SUBDOMAIN)
const underscoredPattern = whole(UNDERSCORED_SUBDOMAIN)
const label1035Pattern = whole(LABEL1035)
const keyPattern = whole(KEY)
const wildcardPattern = whole(WILDCARD)
const configKeyPattern = whole(CONFIG_KEY)
const httpHeaderPattern = whole(HTTP_HEADER)
const percentPattern = whole(PERCENT)
const cIdentifierPattern = whole(C_IDENTIFIER)
const httpPathPattern = whole(HTTP_PATH)

const NONE: readonly string[] = []
export type Complaints = readonly string[]

const KEY_RULE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const LABEL_RULE = explain(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL,
  ['my-name', '123-abc'],
)
const SUBDOMAIN_RULE = explain(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN,
  ['example.com'],
)
const UNDERSCORED_RULE = explain(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  UNDERSCORED_SUBDOMAIN,
  ['example.com'],
)
const LABEL1035_RULE = explain(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  LABEL1035,
  ['my-name', 'abc-123'],
)
const WILDCARD_RULE = explain(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  WILDCARD,
  ['*.example.com'],
)
const KEY_TEXT = explain(KEY_RULE, KEY, ['MyName', 'my.name', '123-abc'])
const LABEL_VALUE_RULE = explain(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  LABEL_VALUE,
  ['MyValue', 'my_value', '12345'],
)
const CONFIG_KEY_RULE = explain("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", CONFIG_KEY, [
  'key.name',
  'KEY_NAME',
  'key-name',
])
const HTTP_HEADER_RULE = explain("a valid HTTP header must consist of alphanumeric characters or '-'", HTTP_HEADER, [
  'X-Header-Name',
])
const PERCENT_RULE = explain("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, ['1%', '93%'])
const C_IDENTIFIER_RULE = explain(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  C_IDENTIFIER,
  ['my_name', 'MY_NAME', 'MyName'],
)
const ENV_RULE = "a valid environment variable name must consist only of printable ASCII characters other than '='"

function explain(rule: string, pattern: string, examples: readonly string[]): string {
  return `${rule} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${pattern}')`
}

const tooLong = (max: number) => `must be no more than ${max} characters`
const tooManyBytes = (max: number) => `must be no more than ${max} bytes`

/** Names that passed lately. Names repeat (the same kinds, keys and namespaces come by all the time), patterns are slow. */
class Passed {
  private names = new Set<string>()
  has(name: string): boolean {
    return this.names.has(name)
  }
  add(name: string): void {
    if (this.names.size >= MAX_PASSED) this.names.clear()
    this.names.add(name)
  }
}
const MAX_PASSED = 4096
/** Longer strings are not worth remembering. */
const MAX_PASSED_LENGTH = 128

/** Puts a memory of names that passed before a check. */
function remembering(check: (value: string) => Complaints): (value: string) => Complaints {
  const passed = new Passed()
  return (value) => {
    if (passed.has(value)) return NONE
    const complaints = check(value)
    if (complaints.length === 0 && value.length <= MAX_PASSED_LENGTH) passed.add(value)
    return complaints
  }
}

export const dnsLabel = remembering((value) => {
  const complaints: string[] = []
  if (value.length > 63) complaints.push(tooLong(63))
  if (!labelPattern.test(value)) complaints.push(subdomainPattern.test(value) ? 'must not contain dots' : LABEL_RULE)
  return complaints
})

export const dnsSubdomain = remembering((value) => {
  const complaints: string[] = []
  if (value.length > 253) complaints.push(tooLong(253))
  if (!subdomainPattern.test(value)) complaints.push(SUBDOMAIN_RULE)
  return complaints
})

/** A subdomain whose labels may hold and begin with underscores, as names of services in DNS do. */
export function underscoredSubdomain(value: string): Complaints {
  const complaints: string[] = []
  if (value.length > 253) complaints.push(tooLong(253))
  if (!underscoredPattern.test(value)) complaints.push(UNDERSCORED_RULE)
  return complaints
}

export function dnsLabel1035(value: string): Complaints {
  const complaints: string[] = []
  if (value.length > 63) complaints.push(tooLong(63))
  if (!label1035Pattern.test(value)) complaints.push(LABEL1035_RULE)
  return complaints
}

export function wildcardSubdomain(value: string): Complaints {
  const complaints: string[] = []
  if (value.length > 253) complaints.push(tooLong(253))
  if (!wildcardPattern.test(value)) complaints.push(WILDCARD_RULE)
  return complaints
}

/** A name that only has to fit into a URL path. */
export function pathSegment(value: string): Complaints {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  const complaints: string[] = []
  for (const illegal of ['/', '%']) if (value.includes(illegal)) complaints.push(`may not contain '${illegal}'`)
  return complaints
}

/** Keys of labels and annotations, names of resources, conditions, taints. */
export const qualifiedName = remembering((value) => {
  const slash = value.indexOf('/')
  const complaints: string[] = []
  let name = value
  if (slash >= 0) {
    if (value.indexOf('/', slash + 1) >= 0) {
      return [`a valid label key ${KEY_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
    }
    const prefix = value.slice(0, slash)
    name = value.slice(slash + 1)
    if (prefix === '') complaints.push('prefix part must be non-empty')
    else {
      if (prefix.length > 253) complaints.push(`prefix part ${tooManyBytes(253)}`)
      if (!subdomainPattern.test(prefix)) complaints.push(`prefix part ${SUBDOMAIN_RULE}`)
    }
  }
  if (name === '') complaints.push('name part must be non-empty')
  else if (name.length > 63) complaints.push(`name part ${tooManyBytes(63)}`)
  if (!keyPattern.test(name)) complaints.push(`name part ${KEY_TEXT}`)
  return complaints
})

export const labelValue = remembering((value) => {
  const complaints: string[] = []
  if (value.length > 63) complaints.push(tooManyBytes(63))
  if (value !== '' && !keyPattern.test(value)) complaints.push(LABEL_VALUE_RULE)
  return complaints
})

/** Keys of ConfigMaps and Secrets. */
export function configMapKey(value: string): Complaints {
  const complaints: string[] = []
  if (value.length > 253) complaints.push(tooLong(253))
  if (!configKeyPattern.test(value)) complaints.push(CONFIG_KEY_RULE)
  if (value === '.' || value === '..') complaints.push(`must not be '${value}'`)
  else if (value.startsWith('..')) complaints.push("must not start with '..'")
  return complaints
}

export function cIdentifier(value: string): Complaints {
  return cIdentifierPattern.test(value) ? NONE : [C_IDENTIFIER_RULE]
}

export function envVarName(value: string): Complaints {
  const complaints: string[] = []
  if (value === '') complaints.push('environment variable name must be non-empty')
  if (!/^[ -<>-~]*$/.test(value)) complaints.push(ENV_RULE)
  return complaints
}

export const portName = remembering((value) => {
  const complaints: string[] = []
  if (value.length > 15) complaints.push(tooLong(15))
  if (!/^[-a-z0-9]+$/.test(value)) complaints.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) complaints.push('must contain at least one letter (a-z)')
  if (value.includes('--')) complaints.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) complaints.push('must not begin or end with a hyphen')
  return complaints
})

export function portNumber(value: number): Complaints {
  return between(value, 1, 65535)
}

export function between(value: number, low: number, high: number): Complaints {
  return value >= low && value <= high ? NONE : [`must be between ${low} and ${high}, inclusive`]
}

export function userId(value: number): Complaints {
  return between(value, 0, 2147483647)
}

export function percentText(value: string): Complaints {
  return percentPattern.test(value) ? NONE : [PERCENT_RULE]
}

export function httpHeaderName(value: string): Complaints {
  return httpHeaderPattern.test(value) ? NONE : [HTTP_HEADER_RULE]
}

export function httpPath(value: string): Complaints {
  return httpPathPattern.test(value) ? NONE : [`Invalid path (regex used for validation is '${HTTP_PATH}')`]
}
