// What operators load into Prometheus and Grafana names only metrics and labels that there are, and parses.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { type MetricSpec, metrics } from '../src/observe/metric-names.ts'
import { findProgram, skipWithout } from './support/peers.ts'

const folder = join(import.meta.dirname, '..', 'deploy')
const table: Readonly<Record<string, MetricSpec>> = metrics
/** What Prometheus adds to each sample. */
const added = ['job', 'instance']

interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[]
}

/** Every metric with its labels that an expression selects. */
function checkExpression(expression: string): void {
  const found = [...expression.matchAll(/\b((?:frontdesk|process|nodejs)_[a-z_]+)(?:\{([^}]*)\})?/g)]
  assert.ok(found.length > 0 || expression.includes('up{'), expression)
  for (const [, written, labels = ''] of found) {
    const name = written! in table ? written! : written!.replace(/_(bucket|sum|count)$/, '')
    const spec = table[name]
    assert.ok(spec !== undefined, `${written} is no metric: ${expression}`)
    assert.equal(name !== written, spec.type === 'histogram', expression)
    for (const [, label] of labels.matchAll(/([a-z_]+)=~?"/g)) {
      assert.ok([...spec.labels, ...added].includes(label!), `${name} has no label ${label}: ${expression}`)
    }
    if (spec.type === 'counter') {
      assert.match(expression, /\b(rate|increase|label_values|changes)\(/, `a counter as it is: ${expression}`)
    }
  }
}

describe('deploy/grafana/frontdesk.json', async () => {
  const dashboard = JSON.parse(await readFile(join(folder, 'grafana', 'frontdesk.json'), 'utf8'))
  const panels = dashboard.panels as Panel[]

  it('selects metrics and labels that there are', () => {
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    assert.ok(queries.length > 30)
    for (const query of queries) checkExpression(query)
    for (const { query } of dashboard.templating.list) if (typeof query === 'object') checkExpression(query.query)
  })

  it('shows every metric of the data plane that an operator may need', () => {
    const text = JSON.stringify(dashboard)
    const left = Object.keys(table).filter((name) => name.startsWith('frontdesk_') && !text.includes(name))
    assert.deepEqual(left, [
      'frontdesk_http_requests_active',
      'frontdesk_mirrored_requests_total',
      'frontdesk_cache_disk_up',
      'frontdesk_backend_connect_duration_seconds',
      'frontdesk_worker_connections',
      'frontdesk_worker_up',
    ])
  })

  it('has panels that do not overlap, each with a number of its own', () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    for (const [at, { gridPos: a, title }] of panels.entries()) {
      assert.ok(a.x + a.w <= 24, title)
      for (const { gridPos: b, title: other } of panels.slice(at + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y
        assert.ok(apart, `${title} and ${other}`)
      }
    }
  })

  it('has expressions that Prometheus can read', { skip: skipWithout('promtool') }, async () => {
    const variables = { $__rate_interval: '1m', $__interval: '1m' }
    const rules = panels
      .flatMap(({ targets = [] }) => targets)
      .map(({ expr }, at) => {
        const plain = Object.entries(variables).reduce((text, [name, value]) => text.replaceAll(name, value), expr)
        return { record: `panel:${at}`.replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)]!), expr: plain }
      })
    const file = join(tmpdir(), `frontdesk-panels-${process.pid}.json`)
    await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
    await promtool(['check', 'rules', file]).finally(() => rm(file))
  })
})

describe('deploy/prometheus/alerts.yml', async () => {
  const path = join(folder, 'prometheus', 'alerts.yml')
  const text = await readFile(path, 'utf8')
  const rules = parse(text).groups[0].rules as { alert: string; expr: string }[]

  it('selects metrics and labels that there are', () => {
    assert.ok(rules.length > 10)
    for (const { expr } of rules) checkExpression(expr)
  })

  it('is right in the eyes of promtool, and alerts when it should', { skip: skipWithout('promtool') }, async () => {
    await promtool(['check', 'rules', path])
    await promtool(['test', 'rules', join(folder, 'prometheus', 'alerts.test.yml')])
  })
})

/** Fails with what promtool says. */
async function promtool(command: readonly string[]): Promise<void> {
  await promisify(execFile)(findProgram('promtool')!, command).catch((error) =>
    assert.fail(`${error.stdout}${error.stderr}`),
  )
}
