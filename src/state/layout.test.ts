// The layout is sound, and docs/internals/shared-memory.md says what it is. UPDATE_DOCS=1 writes the document's table.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Field, laneBytes, place, type Region, type RegionName, regions, type Sizes } from './layout.ts'
import { createSharedState, Memory } from './memory.ts'

const names = Object.keys(regions) as RegionName[]
const bytesOf = { i32: 4, i64: 8, f64: 8 }
const sizes: Sizes = {
  slots: 3,
  pools: 2,
  listeners: 1,
  traffic: 3,
  workers: 3,
  affinityTables: 2,
  affinitySets: 4,
  addressSets: 2,
  concurrencySets: 2,
  rateSets: 2,
}

function describeRows(r: Region): string {
  const labels: Record<string, string> = {
    slots: 'backend slot',
    pools: 'pool',
    traffic: 'pair of listener and route',
    listeners: 'listener',
    workers: 'worker',
    affinityTables: 'affinity set',
    addressSets: 'address set',
    concurrencySets: 'concurrency set',
    rateSets: 'rate set',
  }
  const probe = (key: keyof Sizes): boolean => r.rows({ ...sizes, [key]: sizes[key] + 1 }) !== r.rows(sizes)
  const key = (Object.keys(labels) as (keyof Sizes)[]).find(probe)
  return `${key === undefined ? 'one row' : `a row per ${labels[key]}`}${r.perWorker ? ', for each worker' : ''}`
}

function layoutMarkdown(): string {
  return names
    .map((name) => {
      const r: Region = regions[name]
      const rows = Object.entries<Field>(r.fields)
        .filter(([, field]) => field.doc !== 'padding')
        .map(
          ([f, { type, cells, doc }]) =>
            `| ${r.at[f]! * bytesOf[type]} | \`${f}\` | ${type}${cells > 1 ? ` × ${cells}` : ''} | ${doc} |`,
        )
      return [
        `### ${name}`,
        '',
        `${r.doc.charAt(0).toUpperCase()}${r.doc.slice(1)} — ${describeRows(r)}, ${r.rowBytes} bytes each.`,
        '',
        '| byte | field | type | what |',
        '| ---: | --- | --- | --- |',
        ...rows,
      ].join('\n')
    })
    .join('\n\n')
}

test('the document shows this layout', () => {
  const path = new URL('../../docs/internals/shared-memory.md', import.meta.url)
  const text = readFileSync(path, 'utf8')
  const wanted = text.replace(
    /<!-- layout -->[\s\S]*<!-- \/layout -->/,
    () => `<!-- layout -->\n\n${layoutMarkdown()}\n\n<!-- /layout -->`,
  )
  if (process.env.UPDATE_DOCS === '1') writeFileSync(path, wanted)
  else assert.equal(text, wanted, 'stale: run this test with UPDATE_DOCS=1')
})

test('fields do not overlap and are aligned; rows hold them', () => {
  for (const name of names) {
    const r: Region = regions[name]
    let end = 0
    for (const [field, { type, cells }] of Object.entries<Field>(r.fields)) {
      assert.ok(Number.isInteger(r.at[field]), `${name}.${field}`)
      const start = r.at[field]! * bytesOf[type]
      assert.ok(start >= end, `${name}.${field} overlaps`)
      end = start + cells * bytesOf[type]
    }
    assert.ok(end <= r.rowBytes, name)
  }
})

test('regions and lanes do not overlap and start on cache lines', () => {
  const { start, totalBytes } = place(sizes)
  let end = 0
  for (const name of names) {
    assert.equal(start[name] % 64, 0)
    assert.ok(start[name] >= end, name)
    end = start[name] + laneBytes(regions[name], sizes) * (regions[name].perWorker ? sizes.workers : 1)
  }
  assert.ok(totalBytes >= end)
  const memory = new Memory(createSharedState({ ...sizes }))
  const lane = memory.base64('slotLane', 1) - memory.base64('slotLane', 0)
  assert.equal(lane * 8, laneBytes(regions.slotLane, sizes))
})

test('what different writers change at every request lies on different cache lines', () => {
  for (const name of ['slot', 'pool', 'listener', 'worker', 'affinity', 'address', 'concurrency', 'rate'] as const)
    assert.equal(regions[name].rowBytes % 64, 0)
  assert.notEqual(Math.floor(regions.pool.at.ticket / 16), Math.floor(regions.pool.at.retries / 16))
  const header = regions.header.at
  for (const other of [header.version, header.slotHigh, header.clock * 2])
    assert.notEqual(Math.floor(header.epoch / 16), Math.floor(other / 16))
})
