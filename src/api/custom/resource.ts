/** Where definitions of custom resources are found. */
export const CRDS = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' }
