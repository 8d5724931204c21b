/** `skiff set image`: `CONTAINER=IMAGE`, `*=IMAGE` for all, or just the image where there is one container. */
import { CommandError } from '../io.ts'
import { createPinner } from '../pin.ts'
import type { PinMode } from '../pin-modes.ts'
import { containerNamed, onlyContainer } from './containers.ts'
import type { TemplateChange } from './set.ts'

/** Names come first. Without any `=`, the last word is the image. */
export function splitImages(words: readonly string[]): { names: string[]; images: string[] } {
  const images = words.filter((word) => word.includes('='))
  if (images.length > 0) return { names: words.filter((word) => !word.includes('=')), images }
  return { names: words.slice(0, -1), images: words.slice(-1) }
}

/** Throws CommandError for what is no image. `pin`: absent, $SKIFF_PIN decides. */
export function imageChange(texts: readonly string[], pin?: PinMode): TemplateChange {
  const images = texts.map((text) => {
    const at = text.indexOf('=')
    const [container, image] = at < 0 ? [undefined, text] : [text.slice(0, at), text.slice(at + 1)]
    if (!image || container === '' || /\s/.test(image)) throw new CommandError(`${JSON.stringify(text)} is no [CONTAINER=]IMAGE`)
    return { container, image }
  })
  return {
    what: 'image',
    async prepare(session, io) {
      const pinner = createPinner(pin, io, session)
      await Promise.all(
        images.map(async (one) => {
          one.image = await pinner.image(one.image)
        }),
      )
    },
    apply(template, handle) {
      for (const { container, image } of images) {
        if (container === '*') for (const one of template.spec?.containers ?? []) one.image = image
        else if (container !== undefined) containerNamed(template, container, handle).image = image
        else onlyContainer(template, handle, 'say which with CONTAINER=IMAGE').image = image
      }
    },
  }
}
