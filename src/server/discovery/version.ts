/** Which Kubernetes this speaks, in the form that clients parse. */
const MAJOR = '1'
const MINOR = '36'
/** Clients compare the numbers; what follows the plus says who answers. */
export const GIT_VERSION = 'v1.36.2+skiff'

export function versionInfo(): object {
  return {
    major: MAJOR,
    minor: MINOR,
    emulationMajor: MAJOR,
    emulationMinor: MINOR,
    minCompatibilityMajor: MAJOR,
    minCompatibilityMinor: MINOR,
    gitVersion: GIT_VERSION,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node ${process.version}`,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}
