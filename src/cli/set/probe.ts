/** `skiff set probe`: how the node finds out whether a container has started, lives, and is ready. */
import type { Probe } from '../../api/types.ts'
import { CommandError } from '../io.ts'
import { chosenContainers } from './containers.ts'
import type { TemplateChange } from './set.ts'

export interface ProbeChange {
  liveness?: boolean | undefined
  readiness?: boolean | undefined
  startup?: boolean | undefined
  remove?: boolean | undefined
  /** `http://:8080/healthz` */
  getUrl?: string | undefined
  /** A port's number or name. */
  openTcp?: string | undefined
  /** A command that must end with 0. */
  command: readonly string[]
  initialDelay?: number | undefined
  period?: number | undefined
  timeout?: number | undefined
  successThreshold?: number | undefined
  failureThreshold?: number | undefined
  container?: string | undefined
}

const FIELDS = { liveness: 'livenessProbe', readiness: 'readinessProbe', startup: 'startupProbe' } as const

/** Throws CommandError for flags that contradict each other. */
export function probeChange(flags: ProbeChange): TemplateChange {
  const kinds = (['liveness', 'readiness', 'startup'] as const).filter((kind) => flags[kind])
  if (kinds.length === 0) throw new CommandError('which probe? Give --readiness, --liveness or --startup')
  const action = actionOf(flags)
  const pace = paceOf(flags)
  const hasPace = Object.keys(pace).length > 0
  if (flags.remove && (action || hasPace)) throw new CommandError('--remove takes a probe away: nothing else goes with it')
  if (!flags.remove && !action && !hasPace)
    throw new CommandError('what is to be probed? Give --get-url, --open-tcp or a command after --')
  return {
    what: 'probe',
    apply(template, handle) {
      for (const one of chosenContainers(template, flags.container, handle)) {
        for (const kind of kinds) {
          const field = FIELDS[kind]
          if (flags.remove) {
            delete one[field]
            continue
          }
          if (!action && !one[field])
            throw new CommandError(`${handle}, container ${one.name}: there is no ${kind} probe to change`)
          one[field] = action ? { ...pacePart(one[field]), ...action, ...pace } : { ...one[field], ...pace }
        }
      }
    },
  }
}

/** What a new action leaves of the old probe. */
function pacePart(probe: Probe | undefined): Probe {
  const { httpGet: _, tcpSocket: __, exec: ___, grpc: ____, ...rest } = probe ?? {}
  return rest
}

function actionOf({ getUrl, openTcp, command }: ProbeChange): Probe | undefined {
  const given = [getUrl !== undefined, openTcp !== undefined, command.length > 0].filter(Boolean).length
  if (given > 1) throw new CommandError('--get-url, --open-tcp and a command exclude each other')
  if (getUrl !== undefined) return { httpGet: httpOf(getUrl) }
  if (openTcp !== undefined) return { tcpSocket: { port: portOf(openTcp) } }
  return command.length > 0 ? { exec: { command: [...command] } } : undefined
}

function httpOf(url: string): NonNullable<Probe['httpGet']> {
  const match = /^(https?):\/\/([^/:]*):([^/]+)(\/.*)?$/.exec(url)
  if (!match) throw new CommandError(`--get-url ${JSON.stringify(url)} is no URL such as http://:8080/healthz`)
  const [, scheme = 'http', host = '', port = '', path = '/'] = match
  return { path, port: portOf(port), ...(host && { host }), ...(scheme === 'https' && { scheme: 'HTTPS' }) }
}

function portOf(text: string): number | string {
  if (/^\d+$/.test(text)) {
    if (Number(text) < 1 || Number(text) > 65_535) throw new CommandError(`${text} is no port`)
    return Number(text)
  }
  if (!/^[a-z0-9-]{1,15}$/.test(text)) throw new CommandError(`${JSON.stringify(text)} is no port's number or name`)
  return text
}

function paceOf(flags: ProbeChange): Probe {
  const { initialDelay, period, timeout, successThreshold, failureThreshold } = flags
  return {
    ...(initialDelay !== undefined && { initialDelaySeconds: initialDelay }),
    ...(period !== undefined && { periodSeconds: period }),
    ...(timeout !== undefined && { timeoutSeconds: timeout }),
    ...(successThreshold !== undefined && { successThreshold }),
    ...(failureThreshold !== undefined && { failureThreshold }),
  }
}
