// Text → checked configuration. Every problem is found in one go and told with its place.
import type { LoadedModule } from '../plugins/values.ts'
import { checkWritten } from './check-written.ts'
import type { Config } from './config.ts'
import { crossCheck } from './cross-check.ts'
import type { DocumentChange } from './document/types.ts'
import { expand } from './expand.ts'
import { finish } from './finish.ts'
import { type Environment, interpolate } from './interpolate.ts'
import { findings } from './issues.ts'
import { knownKeys } from './known-keys.ts'
import { locate } from './locate.ts'
import { NamedFiles } from './named-files.ts'
import { applyOverrides, commandLine, type FlatOverrides } from './overrides.ts'
import { ConfigError, type Problem, sortProblems } from './problem.ts'
import { readSource, readValue } from './read-source.ts'
import { type LongForm, longForm } from './schema/file.ts'
import { fromValue, nodeAt, type ObjectNode, toValue } from './source-tree.ts'
import { warningsOf } from './warnings.ts'

export type { Config } from './config.ts'
export type { FlatOverrides } from './overrides.ts'
export { ConfigError, type Problem } from './problem.ts'

export interface LoadOptions {
  /** The file to read, and its name in messages. A name that ends in .yaml or .yml is read as YAML. */
  path?: string | undefined
  /** Its text; without it the file is read. Without both, the overrides alone are the configuration. */
  text?: string | undefined
  /** The configuration itself, in the form of a file, instead of a text: taken as it is, `${VAR}` included. */
  value?: object | undefined
  /** For `${VAR}`; default: the environment of the process. */
  env?: Environment | undefined
  /** What the command line says; it wins over the file. */
  overrides?: FlatOverrides | undefined
  /** Lets `listen` ask for port 0, any free port (default false). Overrides always may. */
  allowAnyPort?: boolean | undefined
  /** `workers` where the configuration does not say; default 'auto'. */
  defaultWorkers?: number | undefined
  /** What was changed while it ran: laid over everything else. */
  changes?: readonly DocumentChange[] | undefined
}

export interface LoadedConfig {
  readonly config: Config
  /** As it was given; null without a file. */
  readonly path: string | null
  /** As it was read; null = it is no text. */
  readonly text: string | null
  /** Lines like those of problems, for what is allowed but probably not meant. */
  readonly warnings: readonly string[]
  /** What `config.plugins` have brought; empty unless `loadWithPlugins` has loaded it. */
  readonly plugins: readonly LoadedModule[]
  /** A `ConfigError` of later, its problems with their places in the file, if there is one; any other error as it is. */
  locate(error: unknown): unknown
  /** The same, as it was read, with these changes over it in place of those that were. Rejects with ConfigError. */
  withChanges(changes: readonly DocumentChange[]): Promise<LoadedConfig>
  /** Another document in the place of file and command line, in any form. Rejects with ConfigError. */
  withDocument(document: object): Promise<LoadedConfig>
}

/** Reads, checks and completes a configuration. Throws `ConfigError` with every problem. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const problems: Problem[] = []
  const { expanded, follows, isCut, routes, text } = expandWritten(options, problems)
  const parsed = parseLongForm(expanded, routes)
  const files = new NamedFiles(options.path ?? null)
  if (parsed.success) {
    const { allowAnyPort = false, path: own = null } = options
    const found = crossCheck(parsed.data, expanded, { allowAnyPort, path: own, files, isCut })
    problems.push(...found.filter((problem) => !follows(problem)))
  } else {
    const late = findings(parsed.error.issues, expanded, knownKeys).map((finding) => finding.problem)
    // What the file says has been judged; only what overrides say is new here.
    problems.push(...late.filter((problem) => problems.length === 0 || problem.file === commandLine.name))
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(sortProblems(problems))
  const path = options.path ?? null
  const isText = options.value === undefined && (path !== null || options.text !== undefined)
  return {
    text: isText ? text : null,
    config: finish(parsed.data, { path, stateFileGiven: nodeAt(expanded, ['state_file']) !== undefined, files }),
    path,
    warnings: warningsOf(parsed.data, expanded),
    plugins: [],
    locate: placesIn({ ...options, text }),
    withChanges: async (changes) => loadConfig({ ...options, ...(isText && { text }), changes }),
    withDocument: async (document) => loadConfig(inPlaceOf(options, document)),
  }
}

/** As `options`, with another document in the place of file and command line. */
export function inPlaceOf<O extends LoadOptions>(options: O, document: object): O {
  return { ...options, text: undefined, overrides: undefined, changes: undefined, value: document }
}

/** The places are read anew when they are asked for: kept, they would take many times the room of the text. */
function placesIn(options: LoadOptions): LoadedConfig['locate'] {
  if (options.path === undefined) return (error) => error
  return (error) => (error instanceof ConfigError ? locate(error, expandWritten(options, []).expanded) : error)
}

/** The file with every flat key at its place, without what is wrong in it; `text`: as it was read. */
function expandWritten(options: LoadOptions, problems: Problem[]) {
  const written = read(options, problems)
  const { tree, routes, ...cut } = checkWritten(written, problems)
  const whole = withDefaultWorkers(expand(tree, problems), options.defaultWorkers)
  const expanded = applyOverrides(whole, options.overrides ?? {}, problems)
  return { expanded, ...cut, routes, text: written.origin.source.text }
}

function read({ path, text, value, env }: LoadOptions, problems: Problem[]): ObjectNode {
  if (value !== undefined) return readValue(value, path)
  if (path === undefined && text === undefined) return fromValue({}, commandLine, []) as ObjectNode
  return interpolate(readSource(path ?? 'configuration', text), env ?? process.env, problems) as ObjectNode
}

/** `routes`: as they have been judged already. */
function parseLongForm(tree: ObjectNode, routes: LongForm['routes'] | null): ReturnType<typeof longForm.safeParse> {
  if (routes === null) return longForm.safeParse(toValue(tree))
  const entries = new Map(tree.entries)
  entries.delete('routes')
  const parsed = longForm.safeParse(toValue({ ...tree, entries }))
  return parsed.success ? { ...parsed, data: { ...parsed.data, routes } } : parsed
}

function withDefaultWorkers(tree: ObjectNode, workers: number | undefined): ObjectNode {
  if (workers === undefined || tree.entries.has('workers')) return tree
  const node = fromValue(workers, tree.origin.source, ['workers'])
  return { ...tree, entries: new Map(tree.entries).set('workers', node) }
}
