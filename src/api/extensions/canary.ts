/** On a Deployment: a canary is under way, begun by `skiff roll --canary`; as JSON, how many pods it has and what the pace was before. */
export const CANARY = 'skiff.dev/canary'
