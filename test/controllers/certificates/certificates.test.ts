import { request as httpsRequest } from 'node:https'
import { expect, test } from 'vitest'
import { certificateSigningRequests } from '../../../src/client/resources.ts'
import { startCluster } from '../../../src/cluster.ts'
import { makeRequest } from '../../server/auth/csr.ts'
import { until } from '../until.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('a node asks for a certificate, gets it, and is who it says', async () => {
  await using cluster = await startCluster({ runtime: 'none' })
  const { client, url, access } = cluster
  const { request, key } = makeRequest({ commonName: 'system:node:n1', organizations: ['system:nodes'] })
  const signerName = 'kubernetes.io/kube-apiserver-client-kubelet'
  const spec = { request: base64(request), signerName, usages: ['digital signature', 'client auth'] }
  await client.create(certificateSigningRequests, { metadata: { name: 'n1' }, spec })
  const certificate = await until(async () => {
    const { status } = await client.get(certificateSigningRequests, 'n1')
    expect(status?.conditions?.map((c) => [c.type, c.reason])).toEqual([['Approved', 'AutoApproved']])
    expect(status?.certificate).toBeTruthy()
    return Buffer.from(status?.certificate ?? '', 'base64').toString()
  })
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
  const answer = await new Promise<string>((resolve, reject) => {
    const options = { method: 'POST', ca: access.ca, cert: certificate, key, headers: { 'content-type': 'application/json' } }
    const asked = httpsRequest(`${url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, options, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
    asked.on('error', reject)
    asked.end(body)
  })
  expect(JSON.parse(answer).status.userInfo).toMatchObject({
    username: 'system:node:n1',
    groups: ['system:nodes', 'system:authenticated'],
  })
})

test('people approve the others, and what cannot be signed says so', async () => {
  await using cluster = await startCluster({ runtime: 'none' })
  const { client } = cluster
  const { request } = makeRequest({ commonName: 'jane' })
  const signerName = 'kubernetes.io/kube-apiserver-client'
  const ask = (name: string, usages: string[]) =>
    client.create(certificateSigningRequests, { metadata: { name }, spec: { request: base64(request), signerName, usages } })
  const approve = async (name: string) => {
    const asked = await client.get(certificateSigningRequests, name)
    const conditions = [{ type: 'Approved', status: 'True', reason: 'Test', message: '' }]
    await client.update(certificateSigningRequests, { ...asked, status: { conditions } }, { subresource: 'approval' })
  }
  await ask('jane', ['client auth'])
  await ask('wrong', ['server auth'])
  expect((await client.get(certificateSigningRequests, 'jane')).status?.conditions).toBeUndefined()
  await approve('jane')
  await approve('wrong')
  await until(async () => expect((await client.get(certificateSigningRequests, 'jane')).status?.certificate).toBeTruthy())
  await until(async () => {
    const { status } = await client.get(certificateSigningRequests, 'wrong')
    expect(status?.conditions?.map((c) => c.reason)).toEqual(['Test', 'SignerValidationFailure'])
  })
})
