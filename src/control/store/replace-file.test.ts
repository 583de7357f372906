import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { ControlError } from '../control-error.ts'
import { replaceFile } from './replace-file.ts'

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-replace-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

describe('replaceFile', () => {
  it('keeps the permissions whatever the umask, and leaves nothing beside', async (t) => {
    const dir = folder(t)
    const file = join(dir, 'config.json')
    for (const mode of [0o600, 0o640, 0o664, 0o666]) {
      writeFileSync(file, 'old')
      chmodSync(file, mode)
      await replaceFile(file, `new ${mode}`)
      assert.equal(readFileSync(file, 'utf8'), `new ${mode}`)
      assert.equal(statSync(file).mode & 0o777, mode)
    }
    assert.deepEqual(readdirSync(dir), ['config.json'])
  })

  it('writes where a link leads, by itself or by a folder, and leaves the link', async (t) => {
    const dir = folder(t)
    mkdirSync(join(dir, 'real'))
    writeFileSync(join(dir, 'real', 'a.json'), 'old')
    symlinkSync('real', join(dir, 'current'))
    symlinkSync('current/a.json', join(dir, 'config.json'))
    await replaceFile(join(dir, 'config.json'), 'new')
    assert.ok(lstatSync(join(dir, 'config.json')).isSymbolicLink())
    assert.ok(lstatSync(join(dir, 'current')).isSymbolicLink())
    assert.equal(readFileSync(join(dir, 'real', 'a.json'), 'utf8'), 'new')
  })

  it('is not hindered by what a killed process has left', async (t) => {
    const dir = folder(t)
    const file = join(dir, 'config.json')
    writeFileSync(file, 'old')
    writeFileSync(`${file}.frontdesk-save.tmp`, 'half')
    await replaceFile(file, 'new')
    assert.deepEqual([readFileSync(file, 'utf8'), readdirSync(dir)], ['new', ['config.json']])
  })

  it('says what was in the way, and leaves the file as it was', async (t) => {
    const dir = folder(t)
    const file = join(dir, 'config.json')
    writeFileSync(file, 'old')
    mkdirSync(`${file}.frontdesk-save.tmp`)
    await assert.rejects(replaceFile(file, 'new'), (error: ControlError) => {
      assert.ok(error instanceof ControlError)
      return /config\.json cannot be written \(.+\)\. Nothing was changed/.test(error.message)
    })
    assert.equal(readFileSync(file, 'utf8'), 'old')
    await assert.rejects(replaceFile(join(dir, 'gone.json'), 'new'), /gone\.json cannot be written \(ENOENT\)/)
  })
})
