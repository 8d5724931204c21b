/** `skiff set resources`: what containers may use and are promised. An amount of 0 takes the line away. */
import { tryParseQuantity } from '../../api/quantity.ts'
import { CommandError } from '../io.ts'
import { chosenContainers } from './containers.ts'
import type { TemplateChange } from './set.ts'

export interface ResourcesChange {
  /** `cpu=200m,memory=512Mi` */
  limits?: string | undefined
  requests?: string | undefined
  container?: string | undefined
}

/** Throws CommandError for what is no amount. */
export function resourcesChange({ limits, requests, container }: ResourcesChange): TemplateChange {
  const wanted = { limits: amounts('--limits', limits), requests: amounts('--requests', requests) }
  if (!wanted.limits && !wanted.requests) throw new CommandError('which resources? Give --limits or --requests')
  return {
    what: 'resources',
    apply(template, handle) {
      for (const one of chosenContainers(template, container, handle)) {
        for (const kind of ['limits', 'requests'] as const) {
          const merged = { ...one.resources?.[kind], ...wanted[kind] }
          for (const [name, amount] of Object.entries(wanted[kind] ?? {})) if (isZero(amount)) delete merged[name]
          const { [kind]: _, ...others } = one.resources ?? {}
          one.resources = Object.keys(merged).length > 0 ? { ...others, [kind]: merged } : others
        }
      }
    },
  }
}

function amounts(flag: string, text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [name = '', amount = '', ...more] = pair.split('=')
      if (!name || !amount || more.length > 0) throw new CommandError(`${flag} ${JSON.stringify(pair)} is no NAME=AMOUNT`)
      isZero(amount, flag)
      return [name, amount]
    }),
  )
}

function isZero(amount: string, flag = ''): boolean {
  if (!tryParseQuantity(amount))
    throw new CommandError(`${flag}: ${JSON.stringify(amount)} is no amount such as 200m, 2 or 512Mi`)
  return /^0+(\.0+)?[A-Za-z]*$/.test(amount)
}
