import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { labelText, TextWriter } from './text-writer.ts'

describe('TextWriter', () => {
  it('writes families with escaped label values', () => {
    const writer = new TextWriter()
    writer.family('frontdesk_backend_up').sample(labelText(['pool', 'backend'], ['a"b\\c\nd', 'http://h']), 1)
    assert.equal(
      writer.take(),
      '# HELP frontdesk_backend_up 1 if the backend takes new requests; 0 if it is down, ejected, draining or disabled. Unknown counts as 1.\n' +
        '# TYPE frontdesk_backend_up gauge\n' +
        'frontdesk_backend_up{pool="a\\"b\\\\c\\nd",backend="http://h"} 1\n',
    )
    assert.equal(writer.take(), '')
  })

  it('writes histograms with +Inf, sum and count', () => {
    const writer = new TextWriter()
    writer.family('frontdesk_backend_connect_duration_seconds').take()
    writer.histogram('pool="p"', { bounds: [0.0005, 1], cumulative: [2, 5], count: 6, sum: 12.5 })
    assert.equal(
      writer.take(),
      [
        'frontdesk_backend_connect_duration_seconds_bucket{pool="p",le="0.0005"} 2',
        'frontdesk_backend_connect_duration_seconds_bucket{pool="p",le="1"} 5',
        'frontdesk_backend_connect_duration_seconds_bucket{pool="p",le="+Inf"} 6',
        'frontdesk_backend_connect_duration_seconds_sum{pool="p"} 12.5',
        'frontdesk_backend_connect_duration_seconds_count{pool="p"} 6',
        '',
      ].join('\n'),
    )
  })

  it('leaves out braces without labels and writes infinities as Prometheus does', () => {
    const writer = new TextWriter()
    writer.family('frontdesk_config_revision').take()
    writer.sample('', 3).sample('', Number.POSITIVE_INFINITY)
    assert.equal(writer.take(), 'frontdesk_config_revision 3\nfrontdesk_config_revision +Inf\n')
  })
})
