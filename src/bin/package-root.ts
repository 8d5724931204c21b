/** Where this package lies, from the source tree and from any built chunk: the nearest folder above with its package.json. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export function packageRoot(): string {
  for (let directory = path.dirname(fileURLToPath(import.meta.url)); ; directory = path.dirname(directory)) {
    const file = path.join(directory, 'package.json')
    if (existsSync(file)) return directory
    if (directory === path.dirname(directory)) throw new Error('the package is not complete: no package.json above the program')
  }
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version
}
