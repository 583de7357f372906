// `npm run bench:micro [words]`: runs every micro-benchmark of this folder and prints a table. A benchmark is a file
// that exports `benchmarks`; words narrow the choice to names that contain one of them. What is no time it says in `remarks`.
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { type Benchmark, measure } from './measure.ts'

const notBenchmarks = new Set(['run.ts', 'measure.ts'])
const wanted = process.argv.slice(2)

const format = (ns: number): string =>
  ns < 1e4 ? `${ns.toFixed(1)} ns` : ns < 1e6 ? `${(ns / 1e3).toFixed(1)} µs` : `${(ns / 1e6).toFixed(2)} ms`

process.stdout.write(`node ${process.versions.node} · ${cpus()[0]?.model ?? 'unknown processor'}\n\n`)
process.stdout.write(`${'benchmark'.padEnd(56)}${'best'.padStart(12)}${'median'.padStart(12)}\n`)
for (const file of readdirSync(import.meta.dirname).sort()) {
  if (!file.endsWith('.ts') || file.endsWith('.test.ts') || notBenchmarks.has(file)) continue
  const { benchmarks, remarks } = (await import(`./${file}`)) as {
    benchmarks?: readonly Benchmark[]
    remarks?: () => readonly string[]
  }
  for (const benchmark of benchmarks ?? []) {
    if (wanted.length > 0 && !wanted.some((word) => benchmark.name.includes(word))) continue
    const { name, bestNs, medianNs } = measure(benchmark)
    process.stdout.write(`${name.padEnd(56)}${format(bestNs).padStart(12)}${format(medianNs).padStart(12)}\n`)
  }
  const name = file.replace('.ts', '')
  if (remarks && (wanted.length === 0 || wanted.some((word) => name.includes(word))))
    for (const line of remarks()) process.stdout.write(`${line}\n`)
}
