/** `skiff/controller`: write a controller; the built-in ones are written with the same. */
export { createWorkQueue, type WorkQueue } from './queue.ts'
export type { Enqueue, EventToRecord, ReconcileContext, ReconcileResult, Reconciler, Runner } from './reconciler.ts'
export { createEventRecorder, type EventRecorder } from './recorder.ts'
export { createRunner, type RunnerOptions } from './runner.ts'
