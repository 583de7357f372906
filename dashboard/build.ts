// Bundles the dashboard: one script, one style sheet, one page that names both. Used by the package's build, and by a
// Frontdesk that runs from its sources, which keeps the result in memory. `node build.ts [folder]` writes it to files.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/** One file of the dashboard, with its packed forms. */
export interface BuiltFile {
  /** `index.html` or `assets/…`, the latter with a digest of the content in its name. */
  readonly path: string
  readonly content: Buffer
  readonly br: Buffer
  readonly gz: Buffer
}

const here = import.meta.dirname

/**
 * Bundles, minifies and compresses, by brotli as hard as `effort` says (1 to 11). Rejects where esbuild is not installed or a
 * source is wrong.
 */
export async function buildDashboard(effort = 11): Promise<BuiltFile[]> {
  const { build, stop } = await import('esbuild')
  try {
    const { outputFiles } = await build({
      entryPoints: [
        { in: join(here, 'src', 'main.tsx'), out: 'dashboard' },
        { in: join(here, 'src', 'style', 'main.css'), out: 'dashboard' },
      ],
      outdir: join(here, 'dist', 'assets'),
      entryNames: '[name]-[hash]',
      bundle: true,
      minify: true,
      format: 'esm',
      target: ['chrome123', 'firefox128', 'safari17.5'],
      tsconfig: join(here, 'tsconfig.json'),
      legalComments: 'none',
      logLevel: 'silent',
      write: false,
    })
    const assets = outputFiles.map(({ path, contents }) => ({
      path: `assets/${basename(path)}`,
      content: Buffer.from(contents),
    }))
    return await Promise.all([page(assets.map(({ path }) => path)), ...assets].map((file) => packed(file, effort)))
  } finally {
    // Otherwise its process stays for as long as this one.
    await stop()
  }
}

/** The page with the names that the files got. */
function page(assets: readonly string[]): { path: string; content: Buffer } {
  const named = (ending: string): string => `/${assets.find((path) => path.endsWith(ending))!}`
  const html = readFileSync(join(here, 'src', 'index.html'), 'utf8')
  return {
    path: 'index.html',
    content: Buffer.from(html.replace('dashboard.js', named('.js')).replace('dashboard.css', named('.css'))),
  }
}

async function packed({ path, content }: Pick<BuiltFile, 'path' | 'content'>, effort: number): Promise<BuiltFile> {
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: effort } }),
    promisify(gzip)(content, { level: 9 }),
  ])
  return { path, content, br, gz }
}

/** Puts the files into a folder, in the smallest of their forms: from it the others are made where they are served. */
export function writeDashboard(files: readonly BuiltFile[], folder: string): void {
  for (const { path, br } of files) {
    const target = join(folder, `${path}.br`)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, br)
  }
}

if (process.argv[1] === import.meta.filename) {
  const files = await buildDashboard()
  const folder = process.argv[2] ?? join(here, 'dist')
  writeDashboard(files, folder)
  for (const { path, content, gz, br } of files) {
    process.stdout.write(`${path}: ${content.length} bytes, ${gz.length} with gzip, ${br.length} with brotli\n`)
  }
}
