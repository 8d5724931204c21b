import { describe, expect, test } from 'vitest'
import { canonicalIpAddress, cidr, ipAddress, ipFamily, parseCidr, strictlyWithin } from '../../src/api/addresses.ts'
import {
  configMapKey,
  dnsLabel,
  dnsLabel1035,
  dnsSubdomain,
  envVarName,
  labelValue,
  pathSegment,
  percentText,
  portName,
  qualifiedName,
  wildcardSubdomain,
} from '../../src/api/names.ts'

const rules = { dnsLabel, dnsLabel1035, dnsSubdomain, qualifiedName, labelValue, portName, configMapKey, envVarName, pathSegment }

describe('what is fine', () => {
  test.each([
    ['dnsLabel', ['a', 'a-b', '0', 'x'.repeat(63)]],
    ['dnsLabel1035', ['a', 'a-1']],
    ['dnsSubdomain', ['a', 'a.b', '1.2', 'x'.repeat(253)]],
    ['qualifiedName', ['a', 'A_b.c', 'example.com/Name', '1']],
    ['labelValue', ['', 'a', 'A_b.c-d', '12345']],
    ['portName', ['http', 'a-b-1', 'x']],
    ['configMapKey', ['a', 'A.b_c-d', '...x'.slice(2)]],
    ['envVarName', ['A', 'a.b-c', '1x', 'with space']],
    ['pathSegment', ['system:admin', 'a b', 'x~y']],
  ] as const)('%s', (rule, values) => {
    for (const value of values) expect(rules[rule](value), value).toEqual([])
  })
})

describe('what is not, and why', () => {
  const LABEL = /^a lowercase RFC 1123 label must consist of/
  const SUBDOMAIN = /^a lowercase RFC 1123 subdomain must consist of/
  test.each([
    ['dnsLabel', 'a.b', [/^must not contain dots$/]],
    ['dnsLabel', 'A', [LABEL]],
    ['dnsLabel', '-a', [LABEL]],
    ['dnsLabel', 'x'.repeat(64), [/^must be no more than 63 characters$/]],
    ['dnsLabel1035', '1a', [/^a DNS-1035 label must consist of/]],
    ['dnsSubdomain', 'a..b', [SUBDOMAIN]],
    ['dnsSubdomain', 'x'.repeat(254), [/^must be no more than 253 characters$/]],
    ['qualifiedName', '', [/^name part must be non-empty$/, /^name part must consist of/]],
    ['qualifiedName', 'a/b/c', [/^a valid label key must consist of .* with an optional DNS subdomain prefix/]],
    ['qualifiedName', '/b', [/^prefix part must be non-empty$/]],
    ['qualifiedName', 'A/b', [/^prefix part a lowercase RFC 1123 subdomain/]],
    ['qualifiedName', 'x'.repeat(64), [/^name part must be no more than 63 bytes$/]],
    ['labelValue', 'a b', [/^a valid label must be an empty string or consist of/]],
    ['labelValue', 'x'.repeat(64), [/^must be no more than 63 bytes$/]],
    ['portName', '8080', [/^must contain at least one letter \(a-z\)$/]],
    ['portName', 'a--b', [/^must not contain consecutive hyphens$/]],
    ['portName', '-a', [/^must not begin or end with a hyphen$/]],
    ['portName', 'UPPER', [/^must contain only alpha-numeric/, /^must contain at least one letter/]],
    ['configMapKey', '..', [/^must not be '\.\.'$/]],
    ['configMapKey', '..a', [/^must not start with '\.\.'$/]],
    ['configMapKey', 'a/b', [/^a valid config key must consist of/]],
    ['envVarName', 'a=b', [/^a valid environment variable name must consist only of printable ASCII/]],
    ['pathSegment', '..', [/^may not be '\.\.'$/]],
    ['pathSegment', 'a/b%', [/^may not contain '\/'$/, /^may not contain '%'$/]],
  ] as const)('%s %j', (rule, value, patterns) => {
    const complaints = rules[rule](value)
    expect(complaints).toHaveLength(patterns.length)
    for (const [index, pattern] of patterns.entries()) expect(complaints[index]).toMatch(pattern)
  })
  test('texts name the pattern, as the API server does', () => {
    expect(dnsLabel('A')[0]).toBe(
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    )
    expect(percentText('5')[0]).toContain("(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')")
    expect(wildcardSubdomain('*.x')).toEqual([])
    expect(wildcardSubdomain('*.*.x')[0]).toMatch(/^a wildcard DNS-1123 subdomain must start with/)
  })
  test('a name that passed once passes again, and one that failed fails again', () => {
    for (let i = 0; i < 2; i++) {
      expect(dnsLabel('again')).toEqual([])
      expect(dnsLabel('Again')).toHaveLength(1)
    }
  })
})

describe('addresses', () => {
  test.each(['10.0.0.1', '::1', '2001:db8::ffff'])('%s is one', (text) => expect(ipAddress(text)).toEqual([]))
  test.each([
    ['010.0.0.1', 'must not have leading 0s'],
    ['::ffff:1.2.3.4', 'must not be an IPv4-mapped IPv6 address'],
    ['nonsense', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ['fe80::1%eth0', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  ])('%s: %s', (text, complaint) => expect(ipAddress(text)).toEqual([complaint]))
  test('one spelling is canonical', () => {
    expect(canonicalIpAddress('2001:db8::1')).toEqual([])
    expect(canonicalIpAddress('2001:DB8:0::1')).toEqual(['must be in canonical form ("2001:db8::1")'])
    expect(ipFamily('::')).toBe('IPv6')
  })
  test.each([
    ['10.0.0.0/8', []],
    ['2001:db8::/32', []],
    ['10.0.0.1/8', ['must not have bits set beyond the prefix length']],
    ['10.0.0.0/33', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
    ['10.0.0.0', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
  ])('range %s', (text, complaints) => expect(cidr(text)).toEqual(complaints))
  test('ranges within ranges', () => {
    const within = (inner: string, outer: string) => strictlyWithin(parseCidr(inner)!, parseCidr(outer)!)
    expect(within('10.1.0.0/16', '10.0.0.0/8')).toBe(true)
    expect(within('10.0.0.0/8', '10.0.0.0/8')).toBe(false)
    expect(within('11.0.0.0/16', '10.0.0.0/8')).toBe(false)
    expect(within('2001:db8:1::/48', '2001:db8::/32')).toBe(true)
    expect(within('10.0.0.0/16', '::/0')).toBe(false)
  })
})
