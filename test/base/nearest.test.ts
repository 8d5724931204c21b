import { expect, it } from 'vitest'
import { editDistance, nearest } from '../../src/base/nearest.ts'

it('counts letters that are put in, left out, replaced and swapped', () => {
  expect(editDistance('web', 'web', 3)).toBe(0)
  expect(editDistance('wbe', 'web', 3)).toBe(1)
  expect(editDistance('kitten', 'sitting', 5)).toBe(3)
  expect(editDistance('settings', 'x', 2)).toBe(3)
  expect(editDistance('abcdef', 'uvwxyz', 2)).toBe(3)
})

it('proposes the closest first, and nothing far away', () => {
  const all = ['settings', 'web', 'settings-old', 'sittings', 'database'].map((name) => ({ name }))
  expect(nearest('setings', all).map(({ name }) => name)).toEqual(['settings', 'sittings'])
  expect(nearest('settings-ol', all)[0]?.name).toBe('settings-old')
  expect(nearest('wbe', all).map(({ name }) => name)).toEqual(['web'])
  expect(nearest('x', [{ name: 'y' }])).toEqual([])
  expect(nearest('web', [{ name: 'wes' }, { name: 'wet' }], ({ name }) => name !== 'wes')).toEqual([{ name: 'wet' }])
})
