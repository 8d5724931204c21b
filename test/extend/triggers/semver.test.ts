import { describe, expect, it } from 'vitest'
import { compareVersions, parseRange, parseVersion, satisfies } from '../../../src/extend/triggers/semver.ts'

const fits = (version: string, range: string) => satisfies(parseVersion(version)!, parseRange(range))

describe('a range', () => {
  it.each([
    ['^1.2.3', ['1.2.3', '1.9.0'], ['1.2.2', '2.0.0', '2.0.0-rc.1']],
    ['^0.2.3', ['0.2.3', '0.2.9'], ['0.3.0', '1.0.0']],
    ['^0.0.3', ['0.0.3'], ['0.0.4']],
    ['^0', ['0.0.1', '0.9.9'], ['1.0.0']],
    ['^1', ['1.0.0', '1.9.9'], ['2.0.0']],
    ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0']],
    ['~1', ['1.0.0', '1.9.0'], ['2.0.0']],
    ['1.2', ['1.2.0', '1.2.9'], ['1.3.0', '1.1.9']],
    ['1.x', ['1.0.0', '1.9.9'], ['2.0.0']],
    ['*', ['0.0.1', '9.9.9'], ['1.0.0-rc.1']],
    ['>=1.2 <2', ['1.2.0', '1.99.0'], ['1.1.9', '2.0.0']],
    ['>= 1.2.3', ['1.2.3', '3.0.0'], ['1.2.2']],
    ['>1.2', ['1.3.0'], ['1.2.9']],
    ['<=1.2', ['1.2.9'], ['1.3.0']],
    ['<1.2', ['1.1.9'], ['1.2.0']],
    ['1.2 - 1.4', ['1.2.0', '1.4.9'], ['1.5.0', '1.1.9']],
    ['^1 || ^3', ['1.5.0', '3.5.0'], ['2.5.0']],
    ['v1.2.3', ['1.2.3', 'v1.2.3'], ['1.2.4']],
    ['>=1.2.0-rc.1', ['1.2.0-rc.1', '1.2.0-rc.10', '1.2.0', '1.3.0'], ['1.2.0-beta.9', '1.3.0-rc.1']],
    ['>=2.0.0-alpha <2.0.0', ['2.0.0-rc.1'], ['2.0.0', '1.9.0']],
  ])('%s', (range, inside, outside) => {
    expect(inside.filter((version) => !fits(version, range))).toEqual([])
    expect(outside.filter((version) => fits(version, range))).toEqual([])
  })

  it.each(['latest', '^', '1.2.3.4', '>=a', '<*', '1.2 -'])('that is none: %s', (range) => {
    expect(() => parseRange(range)).toThrow(/is no version or part of a range|is met by no version/)
  })
})

it('orders versions as semver.org does', () => {
  const ordered = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
  ]
  ordered.push('1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0')
  const shuffled = [...ordered].reverse()
  expect(shuffled.sort((a, b) => compareVersions(parseVersion(a)!, parseVersion(b)!))).toEqual(ordered)
})

it.each(['1', '1.2', 'latest', '1.2.3+build', '1.2.3-', '01x'])('%s is no full version', (text) => {
  expect(parseVersion(text)).toBeUndefined()
})
