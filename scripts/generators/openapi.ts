// docs/reference/openapi.json, from the schemas that check the calls of the admin API.
import { readFile } from 'node:fs/promises'
import { openApiReference } from '../../src/control/admin/openapi.ts'
import type { Generator } from './generator.ts'

export const openapi: Generator = {
  file: 'docs/reference/openapi.json',
  render: async () => {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    return openApiReference((manifest as { version: string }).version)
  },
}
