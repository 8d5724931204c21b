/** list+watch, cache and indexes. */
export { createInformer, type InformerOptions } from './create-informer.ts'
export { type Cache, type Change, type Informer, keyOf, splitKey } from './informer.ts'
export { createInformers, type Informers } from './informers.ts'
