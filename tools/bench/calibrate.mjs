/** How fast this machine is today, so that figures of two machines, or of a busy and an idle one, can be compared. */
import { createHash } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SPAN_MS = 400

export function calibrate() {
  return {
    sha256MBs: Math.round((perSecond(hashBlock) * BLOCK.length) / 1e6),
    jsonPerSecond: Math.round(perSecond(() => JSON.parse(JSON.stringify(SAMPLE)))),
    syncMs: Number(syncMs().toFixed(2)),
  }
}

const BLOCK = Buffer.alloc(8192, 1)
const hashBlock = () => createHash('sha256').update(BLOCK).digest()
const SAMPLE = {
  metadata: { labels: { app: 'bench' }, note: 'x'.repeat(200) },
  list: Array.from({ length: 40 }, (_, i) => ({ name: `n${i}`, i })),
}

function perSecond(run) {
  const start = performance.now()
  let times = 0
  while (performance.now() - start < SPAN_MS) for (let i = 0; i < 50; i++, times++) run()
  return (times * 1000) / (performance.now() - start)
}

/** Median of writing 64 KB and having it on the disk. */
function syncMs() {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-bench-'))
  const file = openSync(join(directory, 'sync'), 'w')
  try {
    const taken = Array.from({ length: 30 }, () => {
      const start = performance.now()
      writeSync(file, Buffer.alloc(65_536), 0, 65_536, 0)
      fdatasyncSync(file)
      return performance.now() - start
    })
    return taken.sort((a, b) => a - b)[15]
  } finally {
    closeSync(file)
    rmSync(directory, { recursive: true, force: true })
  }
}
