// Completion in real shells: what Tab offers, backends of a running Frontdesk included.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { skipWithout } from '../support/peers.ts'
import { refusingPort } from '../support/ports.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { skipTmux, Tmux } from '../support/tmux.ts'
import { cli, launcher } from './cli-process.ts'

const run = promisify(execFile)
const skipBash = skipWithout('bash')
const skipZsh = skipTmux || skipWithout('zsh')
const skipFish = skipWithout('fish')

interface Stand {
  readonly dir: string
  readonly env: Record<string, string>
  readonly url: string
}

/** A folder with `frontdesk` on the path, its completions, and, if wanted, a Frontdesk that runs there. */
async function stand(t: TestContext, shell: string, isRunning = false): Promise<Stand> {
  const dir = folder(t)
  symlinkSync(launcher, join(dir, 'frontdesk'))
  const { stdout, code } = await cli(t, ['completion', shell], { cwd: dir })
  assert.equal(code, 0)
  writeFileSync(join(dir, `frontdesk.${shell}`), stdout)
  const env: Record<string, string> = {
    PATH: [dir, dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: dir,
  }
  if (!isRunning) return { dir, env: { ...env, FRONTDESK_ADMIN: String(await refusingPort()) }, url: '' }
  const server = createServer((_, response) => response.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  // What a shell would take for more than a name is not offered.
  const backends = [url, `${url}/a;touch$IFS/x`, `${url}/a&b`, `${url}/$(id)`]
  writeConfig(dir, { listeners: [{ name: 'web', listen: ':8080', pool: 'api' }], pools: { api: { backends } } })
  const program = await Program.start(t, dir, { workers: 1 })
  return { dir, env: { ...env, FRONTDESK_ADMIN: String(program.adminPort) }, url }
}

/** What bash would offer for each line, its cursor at the end. */
async function inBash({ dir, env }: Stand, lines: readonly string[]): Promise<Record<string, string[]>> {
  const script = `source ./frontdesk.bash
for line in "$@"; do
  COMP_LINE="$line" COMP_POINT=\${#line} COMP_TYPE=9 COMPREPLY=()
  "$(complete -p frontdesk | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
  printf '%s\\n' "$line" "\${COMPREPLY[@]}" ''
done`
  const options = { cwd: dir, env: { ...process.env, ...env } }
  const { stdout, stderr } = await run('bash', ['--norc', '--noprofile', '-c', script, 'bash', ...lines], options)
  assert.equal(stderr, '')
  const blocks = stdout.split('\n\n').filter(Boolean)
  return Object.fromEntries(
    blocks.map((block) => {
      const [line = '', ...replies] = block.split('\n')
      return [line, replies.filter(Boolean)]
    }),
  )
}

test('bash: commands, options, values', { skip: skipBash }, async (t) => {
  const it = await stand(t, 'bash')
  const offered = await inBash(it, [
    'frontdesk st',
    'frontdesk backends dr',
    'frontdesk config ',
    'frontdesk --back',
    'frontdesk backends drain --wa',
    'frontdesk status --admin 1 --js',
    'frontdesk explain P',
    'frontdesk explain GET /x --cl',
    'frontdesk proxy --strategy least',
    'frontdesk help comp',
    'frontdesk completion ',
    'frontdesk check -c front',
    'frontdesk check --config=front',
    'frontdesk backends list --pool ',
  ])
  assert.deepEqual(offered['frontdesk st'], ['status', 'stop'])
  assert.deepEqual(offered['frontdesk backends dr'], ['drain'])
  for (const word of ['show', 'diff', 'history', 'rollback', 'save']) {
    assert.ok(offered['frontdesk config ']?.includes(word), word)
  }
  assert.deepEqual(offered['frontdesk --back'], ['--backend'])
  assert.deepEqual(offered['frontdesk backends drain --wa'], ['--wait'])
  assert.deepEqual(offered['frontdesk status --admin 1 --js'], ['--json'])
  assert.deepEqual(offered['frontdesk explain P'], ['POST', 'PUT', 'PATCH'])
  assert.deepEqual(offered['frontdesk explain GET /x --cl'], ['--client'])
  assert.deepEqual(offered['frontdesk proxy --strategy least'], ['least-conn', 'least-time'])
  assert.deepEqual(offered['frontdesk help comp'], ['completion'])
  assert.ok(['bash', 'zsh', 'fish'].every((shell) => offered['frontdesk completion ']?.includes(shell)))
  assert.deepEqual(offered['frontdesk check -c front']?.sort(), ['frontdesk', 'frontdesk.bash'])
  assert.deepEqual(offered['frontdesk check --config=front']?.sort(), ['frontdesk', 'frontdesk.bash'])
  // Nothing runs: nothing is offered, and nothing is printed.
  assert.deepEqual(offered['frontdesk backends list --pool '], [])
})

test('bash: backends and pools of the running Frontdesk, also behind the colons that bash cuts at', {
  skip: skipBash,
}, async (t) => {
  const it = await stand(t, 'bash', true)
  const { port } = new URL(it.url)
  const offered = await inBash(it, [
    'frontdesk backends drain ',
    'frontdesk backends drain http://127',
    'frontdesk backends list --pool ',
    'frontdesk backends swap http://a:1 ',
    'frontdesk tail --listener w',
    'frontdesk tail --admin 1 --listener w',
  ])
  assert.deepEqual(offered['frontdesk backends drain '], [it.url])
  assert.deepEqual(offered['frontdesk backends drain http://127'], [`//127.0.0.1:${port}`])
  assert.deepEqual(offered['frontdesk backends list --pool '], ['api'])
  assert.deepEqual(offered['frontdesk tail --listener w'], ['web'])
  // The one that is named is asked, and there is none.
  assert.deepEqual(offered['frontdesk tail --admin 1 --listener w'], [])
})

test('bash at a terminal: Tab', { skip: skipBash || skipTmux }, async (t) => {
  const it = await stand(t, 'bash', true)
  const tmux = await Tmux.start(t, { cwd: it.dir, env: it.env })
  await tmux.enter('source ./frontdesk.bash; clear')
  await tmux.shows(/^\$\s*$/)
  await tmux.type('frontdesk backends enab')
  await tmux.press('Tab')
  await tmux.shows(/^\$ frontdesk backends enable$/m)
  await tmux.type('http://12')
  await tmux.press('Tab')
  await tmux.shows(new RegExp(`enable ${it.url}$`, 'm'))
})

test('zsh at a terminal: Tab', { skip: skipZsh }, async (t) => {
  const it = await stand(t, 'zsh', true)
  writeFileSync(join(it.dir, '.zshrc'), "PS1='$ '; autoload -Uz compinit; compinit -u -D; source ./frontdesk.zsh\n")
  const tmux = await Tmux.start(t, { cwd: it.dir, env: { ...it.env, ZDOTDIR: it.dir }, command: ['zsh', '-i'] })
  await tmux.shows(/^\$\s*$/)
  await tmux.type('frontdesk backends enab')
  await tmux.press('Tab')
  await tmux.shows(/^\$ frontdesk backends enable$/m)
  await tmux.type('http://12')
  await tmux.press('Tab')
  await tmux.shows(new RegExp(`enable ${it.url}$`, 'm'))
  await tmux.type(' --poo')
  await tmux.press('Tab')
  await tmux.shows(/ --pool$/m)
  await tmux.type('a')
  await tmux.press('Tab')
  await tmux.shows(/ --pool api$/m)
  await tmux.press('C-u')
  await tmux.type('frontdesk st')
  await tmux.press('Tab', 'Tab')
  await tmux.shows(/status +-- show how a running Frontdesk/)
})

test('fish: commands, options, and names of the running Frontdesk', { skip: skipFish }, async (t) => {
  const it = await stand(t, 'fish', true)
  const complete = async (line: string): Promise<string[]> => {
    const script = `source ./frontdesk.fish; complete -C '${line}'`
    const options = { cwd: it.dir, env: { ...process.env, ...it.env } }
    const { stdout } = await run('fish', ['--no-config', '-c', script], options)
    return stdout.split('\n').flatMap((text) => (text === '' ? [] : [text.split('\t')[0]!]))
  }
  assert.deepEqual(await complete('frontdesk sta'), ['status'])
  assert.deepEqual(await complete('frontdesk backends dr'), ['drain'])
  assert.ok((await complete('frontdesk backends drain --')).includes('--wait'))
  assert.deepEqual(await complete('frontdesk backends drain http'), [it.url])
  assert.deepEqual(await complete('frontdesk backends list --pool '), ['api'])
  assert.deepEqual(await complete('frontdesk explain PA'), ['PATCH'])
  assert.deepEqual(await complete('frontdesk tail --listener w'), ['web'])
})

test('completion for the shell that one has; another is refused', async (t) => {
  const bash = await cli(t, ['completion'], { env: { SHELL: '/usr/bin/bash' } })
  assert.match(bash.stdout, /^# bash completion/)
  const other = await cli(t, ['completion', 'tcsh'])
  assert.deepEqual([other.code, other.stdout], [2, ''])
  assert.match(other.stderr, /no completion for "tcsh"\n.*bash, zsh or fish/)
})
