/** Compiled selectors, remembered for as long as the object they came from is cached. */
import { type LabelSelector, type LabelSelectorObject, labelSelector, setSelector } from '../../api/selectors.ts'

const compiled = new WeakMap<object, LabelSelector>()

/** A `metav1.LabelSelector`: absent selects nothing. */
export function compiledSelector(selector: LabelSelectorObject | undefined): LabelSelector {
  if (!selector) return labelSelector(undefined)
  return remember(selector, () => labelSelector(selector))
}

/** A map of labels; absent or empty selects nothing, as Services and ReplicationControllers mean it. */
export function compiledSet(labels: Record<string, string> | undefined): LabelSelector {
  if (!labels || Object.keys(labels).length === 0) return labelSelector(undefined)
  return remember(labels, () => setSelector(labels))
}

function remember(source: object, compile: () => LabelSelector): LabelSelector {
  let selector = compiled.get(source)
  if (!selector) {
    selector = compile()
    compiled.set(source, selector)
  }
  return selector
}
