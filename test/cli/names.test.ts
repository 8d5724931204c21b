import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtinDefinitions } from '../../src/api/definitions.ts'
import { skiffDefinitions } from '../../src/api/kinds/name-review.ts'
import { addContext } from '../../src/client/kubeconfig-write.ts'
import { type CommandLine, startCommandLine } from './command-line.ts'

const SERVERS = { 'with the name index': [...builtinDefinitions, ...skiffDefinitions], 'without it': builtinDefinitions }

describe.each(Object.entries(SERVERS))('on a server %s', (_, definitions) => {
  let cli: CommandLine
  beforeAll(async () => {
    cli = await startCommandLine(definitions)
    await cli.run(['create', 'deployment', 'web', '--image', 'web:v1'])
    await cli.run(['create', 'service', 'clusterip', 'web', '--tcp', '80'])
    await cli.run(['create', 'configmap', 'settings'])
    await cli.run(['create', 'namespace', 'staging'])
    await cli.run(['create', 'configmap', 'settings', '-n', 'staging'])
  })
  afterAll(() => cli.close())

  describe('a bare name', () => {
    it('means the only object that bears it', async () => {
      expect((await cli.run(['get', 'settings', '-o', 'name'])).out).toBe('configmap/settings\n')
      expect((await cli.run(['get', 'settings'])).out).toMatch(/^NAME +DATA +AGE\nsettings /)
      expect((await cli.run(['describe', 'settings'])).out).toMatch(/^Name: +settings\n/)
      expect((await cli.run(['get', 'settings', 'deploy/web', '-o', 'name'])).out).toBe(
        'configmap/settings\ndeployment.apps/web\n',
      )
    })

    it('means what the verb can be done to', async () => {
      expect(await cli.run(['scale', 'web', '--replicas=3'])).toEqual({ code: 0, err: '', out: 'deployment.apps/web scaled\n' })
      expect(await cli.run(['scale', 'settings', '--replicas=3'])).toEqual({
        ...{ code: 1, out: '' },
        err: 'error: nothing in namespace default that is named "settings" fits scale, which takes what can be scaled; there is configmap/settings\n',
      })
    })

    it('is refused with exit code 3 when it means several, and nothing is done', async () => {
      const several = 'error: "web" means several: service/web, deployment/web; say which, or all of them with --all-matches\n'
      const shown = await cli.run(['get', 'web'])
      expect(shown).toMatchObject({ code: 3, err: several })
      expect(shown.out).toMatch(/^NAME[\s\S]*\nservice\/web [\s\S]*\n\nNAME[\s\S]*\ndeployment\.apps\/web /)
      expect(await cli.run(['get', 'web', '-o', 'json'])).toEqual({ code: 3, out: '', err: several })
      expect(await cli.run(['delete', 'settings', 'web'])).toEqual({ code: 3, out: '', err: several })
      expect((await cli.run(['get', 'settings', '-o', 'name'])).code).toBe(0)
      expect((await cli.run(['get', 'web', '--all-matches', '-o', 'name'])).out).toBe('service/web\ndeployment.apps/web\n')
    })

    it('that nothing bears is answered with those that are near', async () => {
      expect(await cli.run(['get', 'setings'])).toEqual({
        ...{ code: 1, out: '' },
        err: 'error: nothing in namespace default is named "setings"; near: configmap/settings\n',
      })
    })

    it('reaches out of the namespace for looking, never for changing', async () => {
      expect((await cli.run(['get', 'staging', '-o', 'name'])).out).toBe('namespace/staging\n')
      expect(await cli.run(['delete', 'staging'])).toEqual({
        ...{ code: 1, out: '' },
        err: 'error: nothing in namespace default is named "staging"; namespace/staging lies in no namespace and must be named in full\n',
      })
    })

    it('is looked for in all namespaces when asked', async () => {
      expect(await cli.run(['get', 'settings', '-A', '-o', 'name'])).toMatchObject({
        code: 3,
        err: expect.stringContaining('configmap/settings (in default), configmap/settings (in staging)'),
      })
      expect((await cli.run(['get', 'settings', '-A', '--all-matches'])).out).toMatch(
        /^NAMESPACE +NAME +DATA +AGE\ndefault +settings .*\nstaging +settings /,
      )
    })

    it('says which permission is missing', async () => {
      const group = 'rbac.authorization.k8s.io'
      const roles = `/apis/${group}/v1/namespaces/default`
      const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }]
      await cli.server.call('POST', `${roles}/roles`, { metadata: { name: 'reader' }, rules })
      await cli.server.call('POST', `${roles}/rolebindings`, {
        metadata: { name: 'reader' },
        roleRef: { apiGroup: group, kind: 'Role', name: 'reader' },
        subjects: [{ apiGroup: group, kind: 'User', name: 'jane' }],
      })
      const { certificate: cert, key } = await cli.server.server.issueClientCertificate('jane', [])
      const config = join(cli.directory, 'jane')
      await addContext(config, { name: 'jane', server: cli.url, ca: cli.server.server.caCertificate, cert, key })
      const jane = (...args: string[]) => cli.run(args, { env: { KUBECONFIG: config } })
      expect((await jane('get', 'settings', '-o', 'name')).out).toBe('configmap/settings\n')
      expect(await jane('scale', 'web', '--replicas=1')).toEqual({
        ...{ code: 1, out: '' },
        err: 'error: nothing in namespace default is named "web" (no permission to get deployments.apps, replicasets.apps, replicationcontrollers, statefulsets.apps)\n',
      })
      expect((await jane('get', 'web')).err).toMatch(
        /^error: nothing .* is named "web" \(no permission to get \S+ .* and \d+ other kinds\)\n$/,
      )
      expect(await jane('delete', 'settings', '--yes')).toEqual({
        ...{ code: 1, out: '' },
        err: 'error: configmaps "settings" is forbidden: User "jane" cannot delete resource "configmaps" in API group "" in the namespace "default" (Forbidden)\n',
      })
      expect((await jane('get', 'all')).err).toMatch(/secrets is forbidden/)
    })
  })
})
