/**
 * Builds `dist/` from `src/`: ES modules split into shared chunks, so that a command loads only what it needs,
 * and type declarations when asked with `--types` (publishing needs them; running does not).
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { build } from 'esbuild'
import { generateTypes } from './generate-types.ts'

generateTypes()
rmSync('dist', { recursive: true, force: true })
const entryPoints = {
  skiff: 'src/bin/skiff.ts',
  index: 'src/index.ts',
  client: 'src/client/index.ts',
  controller: 'src/reconcile/index.ts',
  rollout: 'src/rollout/index.ts',
  testing: 'src/testing.ts',
}
const present = Object.entries(entryPoints).filter(([, path]) => existsSync(path))
await build({
  entryPoints: Object.fromEntries(present),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
})
// Read at run time, beside the chunks that need it (src/api/schema/data.ts).
mkdirSync('dist', { recursive: true })
copyFileSync('src/api/schema/types.json', 'dist/types.json')
if (process.argv.includes('--types')) execFileSync('npx', ['tsc', '-p', 'tsconfig.types.json'], { stdio: 'inherit' })
