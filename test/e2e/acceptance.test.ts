/**
 * The acceptance scripts of test/acceptance, each in a namespace of its own, against `skiff up`; with ACCEPTANCE_CLUSTER=kubeconfig
 * (`npm run acceptance`) against the cluster that KUBECONFIG names, where ACCEPTANCE_IMAGE and ACCEPTANCE_IMAGE_V2 say what it can pull.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseScript } from '../acceptance/script.ts'
import { createPlace, missingPrograms } from './support/acceptance.ts'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { type Environment, ROOT } from './support/skiff.ts'

const SCRIPT_TIMEOUT_MS = 300_000
const SCRIPTS = join(ROOT, 'test/acceptance')
const isForeign = process.env.ACCEPTANCE_CLUSTER === 'kubeconfig'

let cluster: TestCluster | undefined
let kubeconfig = process.env.KUBECONFIG ?? ''
let variables: Environment = {}

beforeAll(async () => {
  if (isForeign) {
    if (!kubeconfig) throw new Error('KUBECONFIG must name the cluster')
    const { ACCEPTANCE_IMAGE: image = 'busybox:1.36', ACCEPTANCE_IMAGE_V2: second = 'busybox:1.37' } = process.env
    variables = { IMAGE: image, IMAGE_V2: second }
    return
  }
  cluster = testCluster()
  const up = await cluster.up()
  expect({ code: up.code, err: up.err }).toMatchObject({ code: 0 })
  kubeconfig = cluster.env.KUBECONFIG!
  variables = { IMAGE: 'acceptance:v1', IMAGE_V2: 'acceptance:v2' }
  for (const version of ['v1', 'v2']) {
    // What the scripts run is in every host: a shell and the usual tools, as in busybox.
    const context = join(cluster.directory, version)
    mkdirSync(context)
    writeFileSync(join(context, 'version.txt'), `${version}\n`)
    const built = await cluster.skiff('image', 'build', context, '-t', `acceptance:${version}`, '--entrypoint', '/usr/bin/env')
    expect({ code: built.code, err: built.err }).toEqual({ code: 0, err: '' })
  }
})

afterAll(async () => {
  await cluster?.down()
  cluster?.remove()
})

describe('acceptance scripts', () => {
  for (const file of readdirSync(SCRIPTS).filter((name) => name.endsWith('.txt'))) {
    it(
      file,
      async ({ skip }) => {
        const script = parseScript(readFileSync(join(SCRIPTS, file), 'utf8'))
        const missing = await missingPrograms(script)
        if (missing.length > 0) skip(`not on this machine: ${missing.join(', ')}`)
        const place = await createPlace({ kubeconfig, name: file.replace('.txt', ''), variables })
        try {
          await place.play(script)
        } catch (error) {
          throw new Error(`${file}, ${(error as Error).message}`, { cause: error })
        } finally {
          await place.close()
        }
      },
      SCRIPT_TIMEOUT_MS,
    )
  }
})
