/** Every function that expressions in Kubernetes have. */
import { authorizerLibrary } from './authorizer.ts'
import { byName } from './functions.ts'
import { objectLibrary } from './object-library.ts'
import { standardLibrary } from './standard.ts'
import { textLibrary } from './text-library.ts'

export const kubernetesFunctions = byName([standardLibrary, textLibrary, objectLibrary, authorizerLibrary])
