/** Links in what comes back through a proxy: those to the same host go through the proxy again, as Kubernetes rewrites them. Pure. */
import { posix } from 'node:path'

/** Where a page was asked for. */
export interface Page {
  /** `/api/v1/namespaces/NAMESPACE/services/NAME/proxy` */
  readonly prefix: string
  /** Host and port of the server behind. */
  readonly behind: string
  /** The Host that the caller asked. */
  readonly asked: string
}

/** Attributes that hold a URL, by element. */
const URLS: Record<string, readonly string[]> = {
  ...{ a: ['href'], applet: ['codebase'], area: ['href'], audio: ['src'], base: ['href'], blockquote: ['cite'] },
  ...{ body: ['background'], button: ['formaction'], command: ['icon'], del: ['cite'], embed: ['src'], form: ['action'] },
  ...{ frame: ['longdesc', 'src'], head: ['profile'], html: ['manifest'], iframe: ['longdesc', 'src'] },
  ...{ img: ['longdesc', 'src', 'usemap'], input: ['src', 'usemap', 'formaction'], ins: ['cite'], link: ['href'] },
  ...{ object: ['classid', 'codebase', 'data', 'usemap'], q: ['cite'], script: ['src'], source: ['src'] },
  video: ['poster', 'src'],
}
/** Elements whose content is text, whatever it looks like. */
const RAW = new Set(['iframe', 'noembed', 'noframes', 'script', 'style', 'textarea', 'title', 'xmp'])

/** Absolute paths of the same host get the prefix; everything else stays as it is. */
export function rewriteUrl(url: string, { prefix, behind, asked }: Page): string {
  const parts = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is.exec(url)
  const [, scheme, host = '', path = '', rest = ''] = parts ?? []
  if (!path.startsWith('/') || (host !== '' && host !== behind && host !== asked)) return url
  const place = host !== '' && host === asked ? `${scheme ? `${scheme}:` : ''}//${host}` : ''
  return `${place}${path.startsWith(prefix) ? path : posix.join(prefix, path)}${rest}`
}

/** The page with its links rewritten; all that is no link stays byte for byte. Takes time in proportion to its length. */
export function rewriteHtml(html: string, page: Page): string {
  const parts: string[] = []
  let from = 0
  let at = html.indexOf('<')
  while (at >= 0) {
    if (html.startsWith('<!--', at)) {
      const end = html.indexOf('-->', at + 4)
      if (end < 0) break
      at = html.indexOf('<', end)
      continue
    }
    const name = nameAt(html, at + 1)
    const tag = name === '' ? undefined : readTag(html, at + 1 + name.length, URLS[name.toLowerCase()] ?? [])
    if (name !== '' && !tag) break
    for (const { start, end } of tag?.values ?? []) {
      parts.push(html.slice(from, start), rewriteUrl(html.slice(start, end), page))
      from = end
    }
    at = html.indexOf('<', RAW.has(name.toLowerCase()) ? endOfText(html, name, tag?.end ?? at + 1) : (tag?.end ?? at + 1))
  }
  return `${parts.join('')}${html.slice(from)}`
}

function nameAt(html: string, at: number): string {
  NAME.lastIndex = at
  return NAME.exec(html)?.[0] ?? ''
}
const NAME = /[a-z][^\s/>]*/iy

interface Tag {
  /** Behind the `>`. */
  end: number
  values: { start: number; end: number }[]
}

/** From behind the tag's name on; undefined when the text ends within the tag. */
function readTag(html: string, from: number, wanted: readonly string[]): Tag | undefined {
  const values: Tag['values'] = []
  let at = from
  for (;;) {
    ATTRIBUTE.lastIndex = at
    const found = ATTRIBUTE.exec(html)
    if (!found) return undefined
    const [whole, key] = found
    at += whole.length
    if (key === undefined) return { end: at, values }
    if (!whole.endsWith('=')) continue
    const value = readValue(html, at)
    if (!value) return undefined
    at = value.next
    if (wanted.includes(key.toLowerCase())) values.push(value)
  }
}
/** What is between two attributes, and then either the end of the tag or the next one's name, with its `=`. */
const ATTRIBUTE = /[\s/]*(?:>|([^\s/>][^\s/>=]*)(?:\s*=)?)/y

function readValue(html: string, from: number): { start: number; end: number; next: number } | undefined {
  let start = from
  while (start < html.length && /\s/.test(html[start] ?? '')) start += 1
  const quote = html[start]
  if (quote === '"' || quote === "'") {
    const end = html.indexOf(quote, start + 1)
    return end < 0 ? undefined : { start: start + 1, end, next: end + 1 }
  }
  let end = start
  while (end < html.length && !/[\s>]/.test(html[end] ?? '')) end += 1
  return end === html.length ? undefined : { start, end, next: end }
}

/** Where the closing tag of an element begins whose content is text. */
function endOfText(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}[\\s/>]`, 'gi')
  closing.lastIndex = from
  return closing.exec(html)?.index ?? html.length
}
