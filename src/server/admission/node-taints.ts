/** A new node takes no pods until it has reported that it is ready: the node lifecycle controller takes the taint away. */
import type { Node } from '../../api/types.ts'
import type { AdmissionPlugin } from './contract.ts'
import { isAbout } from './refusal.ts'

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: (request) => request.operation === 'CREATE' && isAbout(request, '', 'nodes'),
  mutate(request) {
    const node = request.object as Node | undefined
    if (!node) return
    const taints = node.spec?.taints ?? []
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return
    node.spec = { ...node.spec, taints: [...taints, { ...NOT_READY }] }
  },
}
