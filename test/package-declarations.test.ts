// The reader of emitted declarations, on which the report of the API and the contents of the package depend.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Declarations } from '../scripts/package/declarations.ts'

function read(t: TestContext, files: Readonly<Record<string, string>>): Declarations {
  const folder = mkdtempSync(join(tmpdir(), 'frontdesk-declarations-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, `${path}.d.ts`), text)
  }
  return new Declarations(folder)
}

test('exports are found through renaming, stars and chains, and lead to where they are declared', (t) => {
  const declarations = read(t, {
    index: `// A comment; with a semicolon.
export { a, type B as C } from './sub/one.js';
export type * from './sub/two.ts';
import { later } from './sub/one.ts';
export { later };
export declare function own(value: { x: ';'; y: "}" }): void;
export declare function own(value: string): number;
`,
    'sub/one': `export declare const a: \`\${string};\`;
export { type Inner as B } from './two.js';
export declare const later: 1;
`,
    'sub/two': `/** Says { what } it is; "quoted */
export interface Inner {
    readonly self?: Inner;
    call(): Promise<Hidden>;
}
interface Hidden {
}
export type Union = 'a;' | 'b}' | Hidden;
export {};
`,
  })
  const exports = [...declarations.exportsOf('/index')].map(([name, to]) => `${name} = ${to.module}#${to.name}`)
  assert.deepEqual(exports.sort(), [
    'C = /sub/two#Inner',
    'Inner = /sub/two#Inner',
    'Union = /sub/two#Union',
    'a = /sub/one#a',
    'later = /sub/one#later',
    'own = /index#own',
  ])
  const { text } = declarations.module('/index').declared.get('own')!
  assert.equal(text.match(/declare function own/g)?.length, 2)
  assert.match(declarations.module('/sub/two').declared.get('Inner')!.text, /^\/\*\* Says.*Promise<Hidden>.*}$/s)
  assert.deepEqual(declarations.referencesOf({ module: '/sub/two', name: 'Inner' }), [
    { module: '/sub/two', name: 'Hidden' },
  ])
})

test('what declarations lead to is found, packages apart, also where only an inline import names it', (t) => {
  const declarations = read(t, {
    index: `import type { Socket } from 'node:net';
import type { One } from './one.js';
export declare function f(one: One): import("./two.js").Two;
export type { Socket };
`,
    one: `import * as z from 'zod';
import def, { type More } from './more.js';
export type One = z.infer<typeof def> | More;
`,
    more: `declare const schema: { x: 1 };
export default schema;
export type More = typeof schema;
`,
    two: `export interface Two { }
`,
    apart: `export type Apart = 1;
`,
  })
  const { modules, packages } = declarations.reachable(['/index'])
  assert.deepEqual([...modules].sort(), ['/index', '/more', '/one', '/two'])
  assert.deepEqual([...packages].sort(), ['node:net', 'zod'])
  assert.deepEqual(
    declarations.referencesOf({ module: '/index', name: 'f' }).map(({ module, name }) => `${module}#${name}`),
    ['/one#One', '/two#Two'],
  )
})
