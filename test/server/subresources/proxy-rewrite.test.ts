import { expect, it } from 'vitest'
import { rewriteHtml, rewriteUrl } from '../../../src/server/subresources/proxy-rewrite.ts'

const PAGE = { prefix: '/api/v1/nodes/n/proxy', behind: '10.0.0.1:80', asked: 'localhost:8001' }

it.each([
  ['/', '/api/v1/nodes/n/proxy/'],
  ['/a/../b/', '/api/v1/nodes/n/proxy/b/'],
  ['/a?b=/c#/d', '/api/v1/nodes/n/proxy/a?b=/c#/d'],
  ['/api/v1/nodes/n/proxy/a', '/api/v1/nodes/n/proxy/a'],
  ['http://10.0.0.1:80/a', '/api/v1/nodes/n/proxy/a'],
  ['//localhost:8001/a', '//localhost:8001/api/v1/nodes/n/proxy/a'],
  ['http://other/a', 'http://other/a'],
  ['a/b', 'a/b'],
  ['mailto:x@y', 'mailto:x@y'],
  ['#here', '#here'],
  ['', ''],
])('leads %j to %j', (url, expected) => expect(rewriteUrl(url, PAGE)).toBe(expected))

it('finds links in all their spellings, and only there', () => {
  const to = (url: string) => `${PAGE.prefix}${url}`
  const html = (a: string, b: string, c: string, d: string) =>
    `<!DOCTYPE html><!-- <a href="/no"> --><BODY BACKGROUND='${a}'><p href="/no">/no</p>` +
    `<img alt=">" src = "${b}"/><style>a { background: url(/no) } <a href="/no"></style >` +
    `<form method=post action=${c}>5 < 6 <textarea><a href="/no"></TEXTAREA><a checked href="${d}">`
  expect(rewriteHtml(html('/a', '/b', '/c', '/d'), PAGE)).toBe(html(to('/a'), to('/b'), to('/c'), to('/d')))
})

it('leaves what is cut off as it is, in no time', () => {
  for (const text of ['<a href="/x', '<a href', '<a', '<', '<!-- <a href="/x">', '<script><a href="/x">'])
    expect(rewriteHtml(text, PAGE)).toBe(text)
  const many = '<a x="'.repeat(200_000)
  const start = performance.now()
  expect(rewriteHtml(many, PAGE)).toBe(many)
  expect(performance.now() - start).toBeLessThan(5_000)
})
