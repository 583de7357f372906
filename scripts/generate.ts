// `npm run generate`: writes every document that is made from the sources. `--check` only compares, and exits 1 when one is stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { apiReports } from './generators/api-report.ts'
import { cacheConformance } from './generators/cache-conformance.ts'
import { configTypes } from './generators/config-types.ts'
import { configurationReference, configurationSchema } from './generators/configuration.ts'
import { examplesGuide } from './generators/examples.ts'
import type { Generator } from './generators/generator.ts'
import { metrics } from './generators/metrics.ts'
import { openapi } from './generators/openapi.ts'

/** To add a document, write a generator beside the others and name it here. */
const generators: readonly Generator[] = [
  configTypes,
  configurationReference,
  configurationSchema,
  metrics,
  openapi,
  examplesGuide,
  cacheConformance,
  ...apiReports,
]

const root = join(import.meta.dirname, '..')

function current(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

async function generate(check: boolean): Promise<boolean> {
  let fresh = true
  for (const generator of generators) {
    const file = join(root, generator.file)
    const text = await generator.render()
    if (current(file) === text) continue
    const name = relative(root, file)
    if (check) {
      fresh = false
      process.stderr.write(`${name} is stale; run: npm run generate\n`)
    } else {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      process.stdout.write(`wrote ${name}\n`)
    }
  }
  return fresh
}

process.exitCode = (await generate(process.argv.includes('--check'))) ? 0 : 1
