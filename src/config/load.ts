// Text → checked configuration. Every problem is found in one go and told with its place.
import type { LoadedModule } from '../plugins/values.ts'
import { checkWritten } from './check-written.ts'
import type { Config } from './config.ts'
import { crossCheck } from './cross-check.ts'
import { layChanges, sourceName } from './document/lay-changes.ts'
import { originsOf } from './document/origins.ts'
import { removalsOf } from './document/removals.ts'
import type { Conflict, DocumentChange, Json, ValueOrigin } from './document/types.ts'
import { chooseHealthMethods } from './expand/health-method.ts'
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
import { fromValue, nodeAt, type ObjectNode, replaced, type SourceNode, toValue } from './source-tree.ts'
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
  /** Lets pools be without backends (default false); changes may always take the last one out. */
  allowEmptyPools?: boolean | undefined
  /** What was changed while it ran: laid over everything else. */
  changes?: readonly DocumentChange[] | undefined
  /** Whoever asks may only look: nothing else is read or imported, and no code of plug-ins is called. Default: anything is. */
  inUse?: InUse | undefined
}

/** What a running configuration has read. */
export interface InUse {
  /** Absolute names. */
  readonly files: ReadonlySet<string>
  /** Modules of plug-ins, as the configuration names them. */
  readonly modules: ReadonlySet<string>
}

export interface LoadedConfig {
  readonly config: Config
  /** As it was given; null without a file. */
  readonly path: string | null
  /** As it was read; null = it is no text. */
  readonly text: string | null
  /** Absolute names of the files whose content is a part of it, such as users; but for itself and certificates. */
  readonly files: readonly string[]
  /** Lines like those of problems, for what is allowed but probably not meant. */
  readonly warnings: readonly string[]
  /** What `config.plugins` have brought; empty unless `loadWithPlugins` has loaded it. */
  readonly plugins: readonly LoadedModule[]
  /** In normal form, secrets included: what file and command line say, and that with the changes in it. */
  readonly documents: { readonly file: Json; readonly whole: Json }
  /** Of `changes` those that still mean something. */
  readonly kept: readonly DocumentChange[]
  /** Those that have lost against the file. */
  readonly conflicts: readonly Conflict[]
  /** Every value with where it comes from, defaults included; secrets are `***`. */
  origins(): ValueOrigin[]
  /** A `ConfigError` of later, its problems with their places in the file, if there is one; any other error as it is. */
  locate(error: unknown): unknown
  /** The same, as it was read, with these changes over it in place of those that were. Rejects with ConfigError. */
  withChanges(changes: readonly DocumentChange[], inUse?: InUse): Promise<LoadedConfig>
  /** Another document in the place of file and command line, in any form. Rejects with ConfigError. */
  withDocument(document: object, inUse?: InUse): Promise<LoadedConfig>
}

/** Reads, checks and completes a configuration. Throws `ConfigError` with every problem. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const problems: Problem[] = []
  const { expanded, follows, isCut, routes, text, base, laid, empty } = expandWritten(options, problems)
  const parsed = parseLongForm(expanded, routes)
  const files = new NamedFiles(options.path ?? null, options.inUse?.files)
  if (parsed.success) {
    const { allowAnyPort = false, path: own = null } = options
    const found = crossCheck(parsed.data, expanded, { allowAnyPort, path: own, files, isCut, empty })
    problems.push(...found.filter((problem) => !follows(problem)))
  } else {
    const late = findings(parsed.error.issues, expanded, knownKeys).map((finding) => finding.problem)
    // What the file says has been judged; only what overrides and changes say is new here.
    const isNew = isLaidOver(laid.kept)
    problems.push(...late.filter((problem) => problems.length === 0 || isNew(problem)))
  }
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(sortProblems(problems.map(withWayOut(laid.kept, options.path ?? null))))
  }
  const path = options.path ?? null
  const isText = options.value === undefined && (path !== null || options.text !== undefined)
  const config = finish(parsed.data, { path, stateFileGiven: nodeAt(expanded, ['state_file']) !== undefined, files })
  const file = toValue(base) as Json
  return {
    text: isText ? text : null,
    config,
    path,
    files: files.names,
    warnings: warningsOf(parsed.data, expanded),
    plugins: [],
    documents: { file, whole: laid.kept.length === 0 ? file : (toValue(laid.tree) as Json) },
    kept: laid.kept,
    conflicts: laid.conflicts,
    origins: () => {
      const { expanded: tree } = expandWritten({ ...options, ...(isText && { text }) }, [])
      return [...originsOf(config, tree, { isFile: path !== null || !isText }), ...removalsOf(laid.kept)]
    },
    locate: placesIn({ ...options, text }),
    withChanges: async (changes, inUse) => loadConfig({ ...options, ...(isText && { text }), changes, inUse }),
    withDocument: async (document, inUse) => loadConfig({ ...inPlaceOf(options, document), inUse }),
  }
}

/** As `options`, with another document in the place of file and command line. */
export function inPlaceOf<O extends LoadOptions>(options: O, document: object): O {
  // Ports that the command line asked for stand in the document.
  const allowAnyPort = options.allowAnyPort === true || options.overrides?.port === 0
  const given = { allowAnyPort, allowEmptyPools: true }
  return { ...options, ...given, text: undefined, overrides: undefined, changes: undefined, value: document }
}

/** The places are read anew when they are asked for: kept, they would take many times the room of the text. */
function placesIn(options: LoadOptions): LoadedConfig['locate'] {
  if (options.path === undefined) return (error) => error
  return (error) => (error instanceof ConfigError ? locate(error, expandWritten(options, []).expanded) : error)
}

/** The file with every flat key at its place, without what is wrong in it; `text`: as it was read. */
function expandWritten(options: LoadOptions, problems: Problem[]) {
  const written = read(options, problems)
  const full = options.allowEmptyPools === true ? withoutEmptyLists(written) : { tree: written, pools: [] }
  const { tree, routes, ...cut } = checkWritten(full.tree, problems)
  const flat = expand(tree, problems)
  // What the file says contradicts itself, whatever is laid over it.
  chooseHealthMethods(flat, problems)
  const base = applyOverrides(flat, options.overrides ?? {}, problems)
  const laid = layChanges(base, options.changes ?? [])
  const left = withoutEmptyLists(laid.tree)
  const empty = new Set([...full.pools, ...left.pools])
  const said = new Set(problems.map((problem) => problem.path))
  const late: Problem[] = []
  const expanded = withDefaultWorkers(chooseHealthMethods(left.tree, late), options.defaultWorkers)
  problems.push(...late.filter((problem) => !said.has(problem.path)))
  // Changed routes have not been judged.
  const judged = laid.kept.some(({ path }) => path[0] === 'routes') ? null : routes
  return { expanded, ...cut, base, laid, empty, routes: judged, text: written.origin.source.text }
}

/** Whether a problem is with what was laid over the file. */
function isLaidOver(changes: readonly DocumentChange[]): (problem: Problem) => boolean {
  const names = new Set([commandLine.name, ...changes.map(sourceName)])
  return ({ file }) => names.has(file)
}

/** A stored change may be one that this version refuses: the operator is told how to go on without it. */
function withWayOut(changes: readonly DocumentChange[], path: string | null): (problem: Problem) => Problem {
  const names = new Set(changes.map(sourceName))
  const file = path === null ? '' : `change it in ${path}, which then wins; or `
  return (problem) => {
    if (!names.has(problem.file)) return problem
    const way = `undo it with "frontdesk config rollback"; if nothing runs, ${file}remove the state file, which forgets all changes`
    return { ...problem, hint: problem.hint === null ? way : `${problem.hint}; or ${way}` }
  }
}

/** Whoever takes the last backend out of a pool knows it; whoever writes an empty list has forgotten something. */
function withoutEmptyLists(tree: ObjectNode): { readonly tree: ObjectNode; readonly pools: readonly string[] } {
  const pools = tree.entries.get('pools')
  const names = pools?.kind === 'object' ? [...pools.entries.keys()] : []
  const empty = names.filter((name) => {
    const list = nodeAt(tree, ['pools', name, 'backends'])
    return list?.kind === 'array' && list.items.length === 0
  })
  const rest = empty.reduce<SourceNode>((one, name) => replaced(one, ['pools', name, 'backends'], undefined), tree)
  return { tree: rest as ObjectNode, pools: empty }
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
