// The import directions of the sources, as one table and as a check that reads every file under src/.
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'

/** A folder may import from itself and from these. `index` is src/index.ts. */
export const layers: Readonly<Record<string, readonly string[]>> = (() => {
  const util: string[] = []
  const core = ['util']
  const low = [...core, 'core']
  const middle = [...low, 'state', 'observe', 'balancer', 'config', 'plugins', 'routing']
  const sockets = [...middle, 'net', 'disk', 'pool']
  const protocols = [...sockets, 'tcp', 'http']
  const planes = [...protocols, 'worker', 'control']
  return {
    util,
    core,
    plugins: low,
    routing: [...low, 'plugins'],
    state: low,
    disk: [...low, 'state', 'net'],
    observe: [...low, 'state'],
    balancer: [...low, 'state', 'observe', 'plugins'],
    config: [...low, 'state', 'observe', 'balancer', 'plugins', 'routing'],
    net: [...middle, 'pool'],
    pool: [...middle, 'net', 'disk'],
    tcp: sockets,
    http: sockets,
    worker: protocols,
    control: protocols,
    supervisor: planes,
    cli: [...planes, 'supervisor', 'index'],
    library: [...planes, 'supervisor'],
    embed: [...planes, 'supervisor', 'library'],
    testing: [...planes, 'supervisor', 'library'],
    index: [...planes, 'supervisor', 'library', 'embed', 'testing'],
  }
})()

/** Rules that go beyond the table: text that may stand only in some folders. */
const confined: readonly { what: string; pattern: RegExp; allowed: readonly string[] }[] = [
  { what: 'Atomics', pattern: /\bAtomics\s*\./, allowed: ['state'] },
  { what: 'console', pattern: /\bconsole\s*\./, allowed: ['cli'] },
  { what: 'process.exit', pattern: /\bprocess\s*\.\s*exit\b/, allowed: ['cli'] },
]

/** Packages that may be imported only under these paths. */
const packages: readonly { pattern: RegExp; allowed: readonly string[] }[] = [
  { pattern: /^(zod|@hono\/zod-openapi)(\/|$)/, allowed: ['config/', 'control/admin/'] },
  { pattern: /^(hono|@hono\/node-server)(\/|$)/, allowed: ['control/admin/'] },
  { pattern: /^commander(\/|$)/, allowed: ['cli/'] },
  { pattern: /^bcryptjs(\/|$)/, allowed: ['http/middleware/basic-auth/'] },
  { pattern: /^re2js(\/|$)/, allowed: ['routing/linear-regex.ts'] },
]

/** I/O that a balancer has no business with. */
const IO = /^node:(net|tls|http|https|http2|dns|fs|fs\/promises|dgram|child_process|worker_threads)$/

const IMPORT =
  /(?:^|[;\n])\s*(?:import|export)\s+(?:type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** A source file: its path under src/ and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** Reads all sources (not the tests beside them). */
export async function readSources(src: string): Promise<SourceFile[]> {
  const names = await readdir(src, { recursive: true })
  const paths = names.filter((name) => name.endsWith('.ts') && !/\.(test|bench)\.ts$/.test(name))
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(src, path), 'utf8') })))
}

/** One sentence for each rule that these files break. */
export function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap(violationsOf)
}

function violationsOf({ path, text }: SourceFile): string[] {
  const problems: string[] = []
  const folder = layerOf(path)
  const allowed = layers[folder]
  if (allowed === undefined) return [`src/${path}: the folder ${folder} is not in the table of test/support/layers.ts`]
  const code = withoutComments(text)
  for (const [, plain, dynamic] of code.matchAll(IMPORT)) {
    const target = plain ?? dynamic ?? ''
    const problem = importProblem(path, folder, allowed, target)
    if (problem !== null) problems.push(`src/${path}: ${problem}`)
  }
  const bare = withoutStrings(code)
  for (const rule of confined) {
    if (!rule.allowed.includes(folder) && rule.pattern.test(bare)) {
      problems.push(`src/${path}: ${rule.what} belongs to ${rule.allowed.join(', ')} only`)
    }
  }
  return problems
}

function importProblem(path: string, folder: string, allowed: readonly string[], target: string): string | null {
  if (target.startsWith('.')) {
    const to = layerOf(relative('/src', resolve('/src', path, '..', target)))
    return to === folder || allowed.includes(to) ? null : `${folder} must not import ${to} (${target})`
  }
  if (folder === 'balancer' && IO.test(target)) return `balancer does no I/O (${target})`
  const rule = packages.find((candidate) => candidate.pattern.test(target))
  if (rule === undefined || rule.allowed.some((prefix) => path.startsWith(prefix))) return null
  return `${target} belongs to ${rule.allowed.join(', ')} only`
}

function layerOf(path: string): string {
  const slash = path.indexOf('/')
  return slash < 0 ? path.replace(/\.ts$/, '') : path.slice(0, slash)
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

/** The text of quoted strings is no code; templates are kept, since code may stand in them. */
function withoutStrings(code: string): string {
  return code.replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''")
}
