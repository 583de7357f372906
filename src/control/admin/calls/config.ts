// GET, PUT and PATCH /config, its history, rollback and save, and POST /reload: the configuration while it runs.
import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Json } from '../../../config/document/types.ts'
import type { Asked, Outcome } from '../../changes.ts'
import type { AskedForDocument, Configuration } from '../../configuration.ts'
import { ControlError } from '../../control-error.ts'
import type { ReloadResult } from '../../port.ts'
import type { AdminApp } from '../app.ts'
import type { AdminEnv } from '../guard.ts'
import { reloadProblem } from '../problem.ts'
import { askedBy, notChanged } from './backends.ts'
import { changedView, documentView, historyView, originsView, rollbackBody, savedView } from './config-schemas.ts'
import { fails, gives, takes } from './describe.ts'

export interface ConfigDeps {
  readonly configuration: Pick<
    Configuration,
    'revision' | 'document' | 'expanded' | 'origins' | 'history' | 'put' | 'patch' | 'rollback' | 'save'
  >
  /** Reads the configuration file and the certificates again. @throws ConfigError, ControlError */
  reload(asked: Asked): Promise<ReloadResult>
}

const flag = z.enum(['1', 'true', '0', 'false']).optional()
const isSet = (value: string | undefined): boolean => value === '1' || value === 'true'
const dryRun = z.strictObject({
  dry_run: flag.meta({ description: '`1`: only say what would change.' }),
})
const etag = { etag: z.string().openapi({ example: '"7"' }) }
const ifMatch = z.object({
  'if-match': z.string().optional().openapi({ description: 'The ETag the change was made for.', example: '"7"' }),
})

const refusals = {
  409: fails('It changes something that needs a restart: `state_file`. Nothing was changed.'),
  412: fails('Somebody else has changed the configuration since. Nothing was changed.'),
  422: fails('The configuration cannot be used; `errors` says what and where. Nothing was changed.'),
  ...notChanged,
}

const changed = {
  200: { ...gives('In force; of a dry run: what would change.', changedView), headers: z.object(etag) },
}

const get = createRoute({
  method: 'get',
  path: '/config',
  summary: 'The configuration in force',
  description:
    'As it was written, flat keys at their places, with what was changed since; secrets are `***`. The ETag is the revision.',
  request: {
    query: z.strictObject({
      expanded: flag.meta({ description: '`1`: every default written out.' }),
      origin: flag.meta({ description: '`1`: every value with where it comes from.' }),
    }),
  },
  responses: {
    200: { ...gives('The document, or its values.', z.union([documentView, originsView])), headers: z.object(etag) },
  },
})

const put = createRoute({
  method: 'put',
  path: '/config',
  summary: 'Replace the configuration',
  description: 'The whole document, in any form. `***` in the place of a secret: as it is now.',
  request: { query: dryRun, headers: ifMatch, ...takes(documentView) },
  responses: { ...changed, ...refusals },
})

const patch = createRoute({
  method: 'patch',
  path: '/config',
  summary: 'Change the configuration',
  description: 'A JSON merge patch (RFC 7396): null takes away, objects are merged, lists are replaced.',
  request: { query: dryRun, headers: ifMatch, ...takes(documentView) },
  responses: { ...changed, ...refusals },
})

const history = createRoute({
  method: 'get',
  path: '/config/history',
  summary: 'The last revisions',
  responses: { 200: gives('Newest first, at most 20.', historyView) },
})

const rollback = createRoute({
  method: 'post',
  path: '/config/rollback',
  summary: 'Go back to an earlier revision',
  description: 'Without a number, to the one before this. The way back is a change itself, with a revision of its own.',
  request: { query: dryRun, headers: ifMatch, body: { ...takes(rollbackBody).body, required: false } },
  responses: { ...changed, 404: fails('That revision is not in the history.'), ...refusals },
})

const save = createRoute({
  method: 'post',
  path: '/config/save',
  summary: 'Write what was changed into the configuration file',
  description: 'Comments stay. Then nothing is laid over the file any more.',
  responses: {
    200: gives('Written.', savedView),
    409: fails('There is no file, it is a program, or it has changed since it was read.'),
    ...notChanged,
  },
})

const reload = createRoute({
  method: 'post',
  path: '/reload',
  summary: 'Read the configuration file and the certificates again',
  description: 'The same as HUP. Answered when every worker uses what was read.',
  request: { query: dryRun },
  responses: {
    200: { ...gives('In force; of a dry run: what would change.', changedView), headers: z.object(etag) },
    ...refusals,
    422: fails(
      'The file or something that it names cannot be used; `errors` says what. Nothing was changed; where only a certificate cannot be used that was in use before, the old one stays and everything else is applied.',
    ),
  },
})

export function addConfigCalls(app: AdminApp, { configuration, reload: readAgain }: ConfigDeps): void {
  app.openapi(get, async (c) => {
    const { expanded, origin } = c.req.valid('query')
    if (isSet(origin)) {
      const found = await configuration.origins()
      return answer(c, { ...found, values: [...found.values] }, found.revision) as never
    }
    const document = isSet(expanded) ? configuration.expanded() : configuration.document()
    return answer(c, document, configuration.revision) as never
  })
  app.openapi(put, async (c) => {
    return outcome(c, await configuration.put(c.req.valid('json') as Json, askedFor(c))) as never
  })
  app.openapi(patch, async (c) => {
    return outcome(c, await configuration.patch(c.req.valid('json') as Json, askedFor(c))) as never
  })
  app.openapi(history, (c) => {
    const entries = configuration.history().map(({ undo: _, ...entry }) => ({ ...entry, changes: [...entry.changes] }))
    return c.json({ revision: configuration.revision, history: entries }, 200)
  })
  app.openapi(rollback, async (c) => {
    const { revision } = c.req.valid('json') ?? {}
    return outcome(c, await configuration.rollback(revision, askedFor(c))) as never
  })
  app.openapi(save, async (c) => {
    const saved = await configuration.save(askedBy(c))
    return c.json({ ...saved, changes: [...saved.changes] }, 200)
  })
  app.openapi(reload, async (c) => {
    const asked = askedFor(c)
    const result = await readAgain({ ...asked, cause: 'reload' })
    const isRehearsal = asked.dryRun === true
    if (!result.applied || (result.refused.length > 0 && !isRehearsal)) return reloadProblem(result) as never
    const { revision, changes, plan, warnings, refused } = result
    const body = { revision, dry_run: isRehearsal, changes, plan, warnings, ...(refused.length > 0 && { refused }) }
    return answer(c, body, revision) as never
  })
}

/** Who asks, with what the query and the header fields say. */
function askedFor(c: Context<AdminEnv>): AskedForDocument {
  const dryRun = isSet(c.req.query('dry_run'))
  const onlyLooks = c.get('caller')?.role === 'read'
  return { ...askedBy(c), dryRun, ifMatch: revisionOf(c.req.header('if-match')), onlyLooks }
}

/** `"7"`; `*` is any. Another form matches nothing. */
function revisionOf(field: string | undefined): number | undefined {
  if (field === undefined || field.trim() === '*') return undefined
  const match = /^(?:W\/)?"?(\d{1,15})"?$/.exec(field.trim())
  if (match !== null) return Number(match[1])
  const message = `is a revision, as in the ETag: "7", not ${field}`
  throw new ControlError('invalid', `If-Match ${message}`, [{ path: 'If-Match', message }])
}

function outcome(c: Context<AdminEnv>, { revision, dryRun: dry_run, words, plan, refused }: Outcome): Response {
  const body = { revision, dry_run, changes: words, plan, ...(refused.length > 0 && { refused }) }
  return answer(c, body, revision)
}

function answer(c: Context<AdminEnv>, body: unknown, revision: number): Response {
  c.header('etag', `"${revision}"`)
  return c.json(body as object, 200)
}
