import { describe, expect, test } from 'vitest'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliQuantity,
  parseQuantity,
  QuantityError,
  quantityMilliValue,
  quantityOf,
  quantityValue,
  subtractQuantities,
  tryParseQuantity,
} from '../../src/api/quantity.ts'
import { createRandom, type Random } from './random.ts'

describe('canonical form', () => {
  test.each([
    ['0', '0'],
    ['0.1', '100m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['.5', '500m'],
    ['1e3', '1e3'],
    ['1000e3', '1e6'],
    ['12e-3', '12e-3'],
    ['1500M', '1500M'],
    ['1000k', '1M'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['0.5Ki', '512'],
    ['100', '100'],
    ['1Ei', '1Ei'],
    ['1E', '1E'],
    ['-1', '-1'],
    ['-0.5', '-500m'],
    ['0.0000000001', '1n'],
    ['100n', '100n'],
    ['1.0001Ki', '1024102400u'],
    // Texts that look canonical to Kubernetes are kept although they are not.
    ['+5', '+5'],
    ['1.500', '1.500'],
  ])('%s is %s', (text, canonical) => expect(canonicalQuantity(text)).toBe(canonical))

  test('binary amounts are capped at 2^63 - 1', () => {
    expect(quantityValue(parseQuantity('100Ei'))).toBe(Number(2n ** 63n - 1n))
  })
})

test.each(['', 'abc', '1 ', '1..2', '0x10', '1,5'])('%j is no quantity', (text) => {
  expect(() => parseQuantity(text)).toThrow('quantities must match the regular expression')
  expect(tryParseQuantity(text)).toBeUndefined()
})

test.each(['1Xi', '1Gi5', '5kk', '1mi', '1e', '1e1001', '1Ee5'])('%j has no suffix that is known', (text) => {
  expect(() => parseQuantity(text)).toThrow(QuantityError)
})

test('values round away from zero', () => {
  expect(quantityValue(parseQuantity('1500m'))).toBe(2)
  expect(quantityValue(parseQuantity('-1500m'))).toBe(-2)
  expect(quantityMilliValue(parseQuantity('1u'))).toBe(1)
  expect(quantityMilliValue(parseQuantity('2'))).toBe(2000)
})

function randomText(random: Random): string {
  const digits = String(random.below(100_000))
  const fraction = random.chance(0.4) ? `.${random.below(10_000)}` : ''
  const suffix = random.pick(['', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E-2', 'e0'])
  return random.pick(['', '', '-']) + digits + fraction + suffix
}

describe('whatever the text', () => {
  const random = createRandom(7)
  const texts = Array.from({ length: 2000 }, () => randomText(random))

  test('the canonical form means the same, up to what is finer than a nano', () => {
    for (const text of texts) {
      const quantity = parseQuantity(text)
      expect(compareQuantities(parseQuantity(formatQuantity(quantity)), quantity), text).toBe(0)
      expect(parseQuantity(canonicalQuantity(text)).nano, text).toBe(quantity.nano)
    }
  })

  test('the printed form is a fixed point, has no fraction, and the largest suffix', () => {
    for (const text of texts) {
      const printed = formatQuantity(parseQuantity(text))
      expect(formatQuantity(parseQuantity(printed)), text).toBe(printed)
      expect(printed, text).toMatch(/^-?[0-9]+([numkMGTPE]|[KMGTPE]i|e-?[0-9]+)?$/)
      expect(printed, text).not.toMatch(/^-?[0-9]*000[numkMGTP]$/)
    }
  })

  test('adding and taking away again changes nothing, and order agrees with difference', () => {
    for (let i = 1; i < texts.length; i++) {
      const [a, b] = [parseQuantity(texts[i - 1]!), parseQuantity(texts[i]!)]
      expect(subtractQuantities(addQuantities(a, b), b).nano).toBe(a.nano)
      expect(addQuantities(a, b).nano).toBe(addQuantities(b, a).nano)
      const difference = subtractQuantities(a, b).nano
      expect(Math.sign(compareQuantities(a, b))).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0)
      expect(compareQuantities(a, b)).toBe(0 - compareQuantities(b, a))
    }
  })

  test('whole numbers survive being made into quantities', () => {
    for (let i = 0; i < 500; i++) {
      const number = random.below(2 ** 31)
      expect(quantityValue(parseQuantity(formatQuantity(quantityOf(number))))).toBe(number)
      expect(quantityMilliValue(parseQuantity(formatQuantity(milliQuantity(number))))).toBe(number)
      expect(quantityValue(parseQuantity(formatQuantity(quantityOf(number, 'BinarySI'))))).toBe(number)
    }
  })
})
