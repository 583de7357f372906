// How V8 collects short-lived objects in the worker threads of this program.
import v8 from 'node:v8'

/**
 * Semi-space of the threads started from now on, in MiB. V8 begins with 1 and grows only while much survives, which a
 * proxy's requests do not: it would collect some twelve times a second, and a tenth of a percent of all requests would
 * wait for each. For the command line only: an embedder's process is the embedder's.
 */
const SEMI_SPACE_MIB = 16

/** To be called before workers start. */
export function sizeYoungGeneration(): void {
  v8.setFlagsFromString(`--min-semi-space-size=${SEMI_SPACE_MIB}`)
  v8.setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE_MIB}`)
}
