/** Every function that expressions in Kubernetes have. */
import { authorizerLibrary } from './authorizer.ts'
import { byName } from './functions.ts'
import { standardLibrary } from './standard.ts'

export const kubernetesFunctions = byName([standardLibrary, authorizerLibrary])
