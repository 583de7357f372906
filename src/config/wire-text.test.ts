import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatWireText, parseWireText } from './wire-text.ts'

test('text stands for itself, hex: for bytes', () => {
  assert.equal(parseWireText('PING\r\n'), 'PING\r\n')
  assert.equal(parseWireText('hex:00ff0A'), '\x00\xff\n')
  assert.equal(formatWireText('PING\r\n'), 'PING\r\n')
  assert.equal(formatWireText('\x00\xff'), 'hex:00ff')
  assert.equal(formatWireText('hex:'), 'hex:6865783a')
})

test('what is no byte, or no hexadecimal, is refused by name', () => {
  assert.throws(() => parseWireText('€'), /^Error: "€" has a character beyond one byte/)
  for (const text of ['hex:', 'hex:0', 'hex:0g', 'hex: 00'])
    assert.throws(() => parseWireText(text), /two digits/, text)
})

test('any bytes come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = Buffer.from(bytes).toString('latin1')
      assert.equal(parseWireText(formatWireText(text)), text)
    }),
  )
})
