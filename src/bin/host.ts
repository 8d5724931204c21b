/** This machine's clusters, for the command line: start, stop, look, and the image store of a data directory. */
import type { Host } from '../cli/host.ts'
import { dataDirectoryOf } from './data-directory.ts'
import { thisDriver } from './driver.ts'
import { packageVersion } from './package-root.ts'

export function createHost(): Host {
  return {
    version: packageVersion(),
    driver: thisDriver,
    up: async (options, io, ready) => (await import('./up.ts')).up(options, io, ready),
    down: async (options, io) => (await import('./instance.ts')).down(dataDirectoryOf(options, io.env), io),
    status: async (options, io) => (await import('./instance.ts')).status(dataDirectoryOf(options, io.env)),
    images: (options) => imagesOf(dataDirectoryOf(options, process.env)),
    extend: {
      serve: async (options, io, ready) => (await import('./extend.ts')).serveExtensions(options, io, ready),
      manifests: async (options) => (await import('../extend/serve/manifests.ts')).extensionManifests(options),
    },
    demo: async (io) => (await import('./demo.ts')).demo(io),
  }
}

function imagesOf(dataDirectory: string): ReturnType<Host['images']> {
  const commands = import('./images.ts').then(({ imageCommands }) => imageCommands(dataDirectory))
  return {
    build: async (options) => (await commands).build(options),
    load: async (file) => (await commands).load(file),
    save: async (name, file) => (await commands).save(name, file),
    list: async () => (await commands).list(),
    remove: async (name) => (await commands).remove(name),
  }
}
