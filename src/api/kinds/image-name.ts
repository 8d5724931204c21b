/** What an image reference says about its tag. Knows nothing of registries. */

const DOMAIN_OR_PATH = /^[a-zA-Z0-9](?:[a-zA-Z0-9._:-]*[a-zA-Z0-9])?(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const BARE_NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/

/** Whether a pull policy left open means `Always`: the tag is `latest`, or there is neither tag nor digest. */
export function pullsAlways(image: string): boolean {
  const at = image.indexOf('@')
  const reference = at < 0 ? image : image.slice(0, at)
  const colon = reference.lastIndexOf(':')
  const tagged = colon > reference.lastIndexOf('/')
  const name = tagged ? reference.slice(0, colon) : reference
  if (tagged) return at < 0 ? reference.slice(colon + 1) === 'latest' && isName(name) : reference.endsWith(':latest')
  return at < 0 && isName(name)
}

/** What is no image name at all is not pulled always either: Kubernetes ignores what it can't parse here. */
function isName(name: string): boolean {
  return name.includes('/') ? DOMAIN_OR_PATH.test(name) : BARE_NAME.test(name)
}
