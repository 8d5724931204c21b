import type { Core } from '../core.ts'

/** What dynamic admission needs of the server. */
export type Environment = Pick<Core, 'reader' | 'registry' | 'nodes' | 'closing' | 'clock' | 'log' | 'random' | 'authorizer'>
