/**
 * Builds `dist/` from `src/`: ES modules split into shared chunks, so that a command loads only what it needs,
 * and type declarations when asked with `--types` (publishing needs them; running does not).
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { build } from 'esbuild'
import { generateTypes } from './generate-types.ts'

generateTypes()
rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: {
    skiff: 'src/bin/skiff.ts',
    index: 'src/index.ts',
    client: 'src/client/index.ts',
    controller: 'src/reconcile/index.ts',
    rollout: 'src/rollout/index.ts',
    testing: 'src/testing.ts',
  },
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
if (process.argv.includes('--types')) execFileSync('npx', ['tsc', '-p', 'tsconfig.types.json'], { stdio: 'inherit' })
