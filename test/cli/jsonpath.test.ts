import { describe, expect, it } from 'vitest'
import { parseTemplate, renderTemplate } from '../../src/cli/jsonpath.ts'

const POD = {
  metadata: { name: 'p', labels: { 'a.b/c': 'dotted', plain: 'x' } },
  spec: {
    containers: [
      { name: 'one', ports: [{ port: 1 }] },
      { name: 'two', ports: [{ port: 2 }, { port: 3 }] },
    ],
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Old', status: 'False' },
    ],
    restarts: 3,
  },
}
const render = (template: string) => renderTemplate(parseTemplate(template), POD)

describe('jsonpath', () => {
  it.each([
    ['.metadata.name', 'p'],
    ['{.metadata.name}', 'p'],
    ['{$.metadata.name}', 'p'],
    ['name={.metadata.name}{"\\n"}', 'name=p\n'],
    ['{.spec.containers[*].name}', 'one two'],
    ['{.spec.containers[-1].name}', 'two'],
    ['{.spec.containers[0:1].name}', 'one'],
    ["{.metadata.labels['a.b/c']}", 'dotted'],
    ['{.metadata.labels.a\\.b/c}', 'dotted'],
    ['{.status.conditions[?(@.type=="Ready")].status}', 'True'],
    ['{.status.conditions[?(@.type!="Ready")].type}', 'Old'],
    ['{..port}', '1 2 3'],
    ['{.metadata.nothing.at.all}', ''],
    ['{.spec.containers[0].ports}', '[{"port":1}]'],
    ['{range .spec.containers[*]}{.name}:{range .ports[*]}{.port},{end};{end}', 'one:1,;two:2,3,;'],
  ])('%s', (template, expected) => expect(render(template)).toBe(expected))

  it.each(['{.a', '{range .a}x', '{end}', '{.a[?(b)]}', '{.a[}'])('refuses %s', (template) => {
    expect(() => parseTemplate(template)).toThrow(/^jsonpath: /)
  })
})
