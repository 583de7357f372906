// `npm run build [folder]`: the publishable package in dist/ (or the folder): compiled JavaScript, the types that its
// entries lead to, launcher, and a package.json that asks for nothing but a Node new enough. Then: npm publish ./dist
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildDashboard, writeDashboard } from '../dashboard/build.ts'
import { Declarations } from './package/declarations.ts'
import { publicEntries, root } from './package/entries.ts'

const entries = publicEntries()
const target = resolve(process.argv[2] ?? join(root, 'dist'))

rmSync(target, { recursive: true, force: true })
mkdirSync(join(target, 'bin'), { recursive: true })
compile()
dropUnreachableDeclarations()
rewriteDeclarations()
refuseSourceReferences()
writeDashboard(await buildDashboard(), join(target, 'dashboard'))

copyFileSync(join(root, 'bin', 'frontdesk.js'), join(target, 'bin', 'frontdesk.js'))
chmodSync(join(target, 'bin', 'frontdesk.js'), 0o755)
for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md']) {
  if (existsSync(join(root, name))) copyFileSync(join(root, name), join(target, name))
}
writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
process.stdout.write(`the package is in ${target}: npm pack ${target}\n`)

function compile(): void {
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const { status } = spawnSync(tsc, ['-p', join(root, 'tsconfig.build.json'), '--outDir', target], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

/** `exports` lets nobody at the others: without them the package is a quarter smaller. */
function dropUnreachableDeclarations(): void {
  const { modules } = new Declarations(target).reachable(entries.map(({ file }) => `/${file}`))
  for (const path of globSync('**/*.d.ts', { cwd: target })) {
    if (!modules.has(`/${path.replace(/\.d\.ts$/, '')}`)) rmSync(join(target, path))
  }
}

/** The compiler rewrites imports in the compiled files, but leaves `./x.ts` in the declarations. */
function rewriteDeclarations(): void {
  for (const path of globSync('**/*.d.ts', { cwd: target })) {
    const file = join(target, path)
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(/((?:from |import\()(['"])\.{1,2}\/[^'"]*)\.ts\2/g, '$1.js$2'))
  }
}

/** Imports are rewritten by the compiler; a file named in any other way (a worker's URL, say) would not be found. */
function refuseSourceReferences(): void {
  const found = globSync('**/*.js', { cwd: target }).flatMap((path) =>
    readFileSync(join(target, path), 'utf8')
      .split('\n')
      .filter((line) => /new URL\(\s*['"][^'"]+\.ts['"]/.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  )
  if (found.length > 0) throw new Error(`compiled files that name a source file:\n${found.join('\n')}`)
}

function manifest(): Record<string, unknown> {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>
  const kept = ['name', 'version', 'description', 'license', 'type', 'bin', 'sideEffects', 'keywords', 'repository']
  return {
    ...Object.fromEntries([...kept, 'dependencies'].filter((key) => key in own).map((key) => [key, own[key]])),
    // Not in the repository's own package.json: there Node comes with `npm ci`, whatever the machine has.
    engines: { node: '>=24' },
    exports: {
      ...Object.fromEntries(
        entries.map(({ path, file }) => [path, { types: `./${file}.d.ts`, default: `./${file}.js` }]),
      ),
      './package.json': './package.json',
    },
    files: ['**/*.js', '**/*.d.ts', 'dashboard/**', 'CHANGELOG.md'],
  }
}
