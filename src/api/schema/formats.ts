/** The string formats that schemas of custom resources may ask for. Unknown formats allow everything, as in Kubernetes. */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { canonicalBase64, canonicalTime } from './scalars.ts'

const HOSTNAME = /^[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*\.?$/
const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const DURATION = /^-?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$|^0$/

const FORMATS: Readonly<Record<string, (value: string) => boolean>> = {
  byte: (value) => succeeds(() => canonicalBase64(value)),
  cidr: (value) => {
    const [address = '', bits = ''] = value.split('/', 2)
    return isIP(address) > 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128)
  },
  date: (value) => DATE.test(value) && succeeds(() => canonicalTime(`${value}T00:00:00Z`)),
  'date-time': (value) => succeeds(() => canonicalTime(value)),
  duration: (value) => DURATION.test(value),
  email: (value) => /^[^\s@]+@[^\s@]+$/.test(value),
  hostname: (value) => HOSTNAME.test(value) && value.length <= 255,
  ipv4: isIPv4,
  ipv6: isIPv6,
  mac: (value) => /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(value),
  uri: (value) => URL.canParse(value) || value.startsWith('/'),
  uuid: (value) => UUID.test(value),
  uuid3: (value) => UUID.test(value),
  uuid4: (value) => UUID.test(value),
  uuid5: (value) => UUID.test(value),
}

export function isOfFormat(format: string, value: string): boolean {
  // Dashes do not count in names of formats.
  return (FORMATS[format] ?? FORMATS[format.replaceAll('-', '')])?.(value) ?? true
}

function succeeds(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch {
    return false
  }
}
