import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadKubeconfig } from '../../src/client/kubeconfig.ts'
import { addContext, removeContext } from '../../src/client/kubeconfig-write.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-kubeconfig-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const CONTEXT = { name: 'skiff', server: 'https://127.0.0.1:6443', ca: 'CA', cert: 'CERT', key: 'KEY' }
const OTHER = `apiVersion: v1
kind: Config
current-context: big
extra: {kept: true}
clusters: [{name: big, cluster: {server: "https://big", certificate-authority: ca.pem}}]
users: [{name: me, user: {token: t}}]
contexts: [{name: big, context: {cluster: big, user: me, namespace: ns}}]
`

it('makes a file that only its owner reads', async () => {
  const file = join(directory, 'new', 'config')
  await addContext(file, CONTEXT)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await loadKubeconfig({ kubeconfig: file })).toMatchObject({
    server: CONTEXT.server,
    ca: 'CA',
    clientCertificate: 'CERT',
    clientKey: 'KEY',
  })
})

it('keeps what is there, again and again, through a link too', async () => {
  const [real, file] = [join(directory, 'real'), join(directory, 'config')]
  writeFileSync(real, OTHER)
  symlinkSync(real, file)
  await addContext(file, CONTEXT)
  await addContext(file, { ...CONTEXT, server: 'https://127.0.0.1:7777' })
  const text = readFileSync(real, 'utf8')
  expect(text.match(/name: skiff/g)).toHaveLength(3)
  expect(text).toContain('certificate-authority: ca.pem')
  expect((await loadKubeconfig({ kubeconfig: file })).server).toBe('https://127.0.0.1:7777')
  await removeContext(file, 'skiff')
  expect(readFileSync(real, 'utf8')).not.toContain('skiff')
  expect(readFileSync(real, 'utf8')).toMatch(/kept: true/)
  expect(readdirSync(directory).sort()).toEqual(['config', 'real'])
})

it('leaves alone what it cannot read', async () => {
  const file = join(directory, 'config')
  writeFileSync(file, 'a: [')
  await expect(addContext(file, CONTEXT)).rejects.toThrow(/is not a kubeconfig and is left as it is/)
  expect(readFileSync(file, 'utf8')).toBe('a: [')
  await removeContext(join(directory, 'none'), 'skiff')
})
