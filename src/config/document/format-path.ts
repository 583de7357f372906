// Paths of documents as people read them.
import { formatPath } from '../source-tree.ts'
import { isUnnamed, shapeOf } from './places.ts'
import type { DocumentPath } from './types.ts'

/** `pools.api.backends[http://10.0.0.1:3000].weight`, `routes[api].pool`. */
export function formatDocumentPath(path: DocumentPath): string {
  let text = ''
  path.forEach((step, i) => {
    if (shapeOf(path.slice(0, i)) === 'list') text += isUnnamed(step) ? '[without a name]' : `[${step}]`
    else text += text === '' || /^[^A-Za-z_$]|[^\w$-]/.test(step) ? formatPath([step]) : `.${step}`
  })
  return text
}
