/** The reader of requirements, loaded with the first annotation: most clusters never need its YAML. */
export type RequiresReader = typeof import('../../api/requires/parse.ts')

let reader: RequiresReader | undefined

export async function requiresReader(): Promise<RequiresReader> {
  reader ??= await import('../../api/requires/parse.ts')
  return reader
}
