/** Where the images, keys and objects of this machine's cluster lie. */
import { homedir } from 'node:os'
import path from 'node:path'
import type { DataDirectoryOptions } from '../cli/host.ts'

/** The option, else $SKIFF_DATA_DIR, else the user's XDG data home. */
export function dataDirectoryOf({ dataDir }: DataDirectoryOptions, env: NodeJS.ProcessEnv): string {
  const home = env.XDG_DATA_HOME || path.join(env.HOME ?? homedir(), '.local', 'share')
  return path.resolve(dataDir ?? (env.SKIFF_DATA_DIR || path.join(home, 'skiff')))
}
