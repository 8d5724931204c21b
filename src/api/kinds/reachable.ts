/** Which addresses can lead anywhere from everywhere. */
import { ipFamily } from '../addresses.ts'
import { type Errors, invalid } from '../field-errors.ts'

const SPECIAL: readonly (readonly [RegExp, (ip: string) => string])[] = [
  [/^(0\.0\.0\.0|::)$/, (ip) => `may not be unspecified (${ip})`],
  [/^(127\.|::1$)/, () => 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^(169\.254\.|fe[89ab].:)/i, () => 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [/^(224\.0\.0\.|ff02:)/i, () => 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

/** Addresses that mean something else on every machine lead nowhere. */
export function checkReachable(ip: string, path: string, errors: Errors): void {
  if (!ipFamily(ip)) return void errors.push(invalid(path, ip, 'must be a valid IP address'))
  for (const [pattern, detail] of SPECIAL) if (pattern.test(ip)) errors.push(invalid(path, ip, detail(ip)))
}
