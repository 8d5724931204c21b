/** Binding: posted, never stored. The server carries out what it asks for. */
import type { DefinitionInput } from './define.ts'

export const binding: DefinitionInput = { kind: 'Binding', plural: 'bindings', verbs: ['create'], columns: [] }
