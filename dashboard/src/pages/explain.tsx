// "Explain a URL": which route it takes, which backend would get it, and why not the others.
import { useState } from 'preact/hooks'
import { call, wordsOf } from '../api/client.ts'
import type { ExplainedCache, ExplainInput, Explanation } from '../api/types.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Icon } from '../parts/icons.tsx'
import { Chip, StateChip, statusTone } from '../parts/state-chip.tsx'
import { formatCount, formatDuration } from '../text/format.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** `Name: value` lines as fields. @throws Error, naming the line */
export function fieldsOf(text: string): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new Error(`"${line.trim()}" is not a field: write "Name: value"`)
    fields[line.slice(0, colon).trim()] = line.slice(colon + 1).trim()
  }
  return fields
}

export function Explain({ first }: { readonly first: string }) {
  const [form, setForm] = useState({ method: 'GET', url: first, headers: '', client: '' })
  const [result, setResult] = useState<Explanation | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const put = (some: Partial<typeof form>): void => setForm({ ...form, ...some })
  const ask = async (): Promise<void> => {
    try {
      const headers = fieldsOf(form.headers)
      const body: ExplainInput = {
        method: form.method,
        url: form.url.trim(),
        ...(Object.keys(headers).length > 0 && { headers }),
        ...(form.client.trim() !== '' && { client: form.client.trim() }),
      }
      setResult(await call<Explanation>('POST', '/explain', { body }))
      setProblem(null)
    } catch (error) {
      setResult(null)
      setProblem(wordsOf(error))
    }
  }
  return (
    <section class="panel explain" aria-labelledby="explain">
      <h2 id="explain">Explain a URL</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void ask()
        }}
      >
        <div class="line">
          <select
            aria-label="Method"
            value={form.method}
            onChange={(event) => put({ method: event.currentTarget.value })}
          >
            {methods.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <input
            aria-label="URL"
            class="mono"
            required
            spellcheck={false}
            autocomplete="off"
            placeholder="/api/users or http://example.com/api/users"
            value={form.url}
            onInput={(event) => put({ url: event.currentTarget.value })}
          />
          <button type="submit" class="primary">
            Explain
          </button>
        </div>
        <details>
          <summary>Header fields and client address</summary>
          <div class="pair">
            <label>
              Header fields, one a line
              <textarea
                rows={3}
                class="mono"
                spellcheck={false}
                placeholder="Cookie: session=1"
                value={form.headers}
                onInput={(event) => put({ headers: event.currentTarget.value })}
              />
            </label>
            <label>
              Client address
              <input
                class="mono"
                placeholder="192.0.2.7"
                value={form.client}
                onInput={(event) => put({ client: event.currentTarget.value })}
              />
            </label>
          </div>
        </details>
      </form>
      <div aria-live="polite">
        {problem !== null && <p class="problem">{problem}</p>}
        {result !== null && <Result of={result} />}
      </div>
    </section>
  )
}

type Candidate = Explanation['backends'][number]

const columns: Column<Candidate>[] = [
  { head: 'State', cell: ({ state }) => <StateChip state={state} /> },
  { head: 'Backend', look: 'wide', cell: ({ url }) => <span class="mono">{url}</span> },
  { head: 'Weight', look: 'number', cell: ({ weight }) => weight },
  { head: 'Active', look: 'number', cell: ({ active }) => formatCount(active) },
  {
    head: 'Score',
    look: 'number',
    cell: ({ score, score_means: means }) => <span title={means}>{score === null ? '–' : formatCount(score)}</span>,
  },
  {
    head: 'Would take it',
    look: 'wide',
    cell: ({ would_take: would, why }) => (
      <>
        <Chip tone={would ? 'ok' : 'quiet'} icon={would ? 'check' : 'cross'}>
          {would ? 'yes' : 'no'}
        </Chip>{' '}
        <span class="faint">{why}</span>
      </>
    ),
  },
]

function Result({ of }: { readonly of: Explanation }) {
  const { route, answer, pool, strategy, target, sticky, considered, steps, backends, cache } = of
  return (
    <div class="result">
      <p class="path">
        <span>
          listener <b>{of.listener}</b>
        </span>
        <Icon name="arrow" size={14} />
        <span>
          {route === null ? (
            'no route'
          ) : (
            <>
              route <b>{route.name}</b>
            </>
          )}
        </span>
        {pool !== null && (
          <>
            <Icon name="arrow" size={14} />
            <span>
              pool <b>{pool}</b>
              {strategy !== null && ` (${strategy})`}
            </span>
          </>
        )}
        {answer !== null && (
          <>
            <Icon name="arrow" size={14} />
            <Chip tone={statusTone(answer.status)}>{answer.status}</Chip>
          </>
        )}
      </p>
      {answer !== null && <p>{answer.why}</p>}
      {route !== null && (
        <p class="faint">
          {route.match}: {route.action}
          {target !== null && target !== '' && `; the backend gets ${target}`}
        </p>
      )}
      {sticky !== null && (
        <p class="faint">
          Sticky by {sticky.by}: {sticky.bound_to === null ? 'bound to no backend yet' : `bound to ${sticky.bound_to}`}
        </p>
      )}
      {steps.length > 0 && (
        <ol class="steps" aria-label="What happens in order">
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      )}
      {cache !== null && <Cached of={cache} />}
      {backends.length > 0 && (
        <DataTable label="Backends and why" columns={columns} rows={backends} keyOf={({ url }) => url} />
      )}
      {considered.length > 0 && (
        <details>
          <summary>Routes that were asked ({considered.length})</summary>
          <ul class="considered">
            {considered.slice(0, 200).map(({ route: name, taken, why }) => (
              <li key={name}>
                <Chip tone={taken ? 'ok' : 'quiet'} icon={taken ? 'check' : 'cross'}>
                  {name}
                </Chip>{' '}
                <span class="faint">{why}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}

/** What the cache would do, and what would change that. */
function Cached({ of }: { readonly of: ExplainedCache }) {
  const { caches, key, would_hit: hits, why, entry, to_make_it_cacheable: advice } = of
  return (
    <div class="cached">
      <p>
        <Chip tone={hits ? 'ok' : 'quiet'} icon="cache">
          {hits ? 'would be a hit' : caches ? 'would ask a backend' : 'not cached'}
        </Chip>{' '}
        {why}
      </p>
      {caches && (
        <p class="faint">
          {entry === null ? 'It would be stored under' : 'Stored under'} <span class="mono">{key}</span>
          {entry !== null && `: ${entryWords(entry)}`}
        </p>
      )}
      {advice.length > 0 && (
        <>
          <p id="to-cache">To have it come from the cache:</p>
          <ul class="words" aria-labelledby="to-cache">
            {advice.map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}

function entryWords({
  status,
  age_seconds: age,
  ttl_seconds: ttl,
  variant,
}: NonNullable<ExplainedCache['entry']>): string {
  const freshness = ttl > 0 ? `fresh for ${formatDuration(ttl)} more` : `stale for ${formatDuration(-ttl)}`
  return `${status}, ${formatDuration(age)} old, ${freshness}${variant === '' ? '' : `, ${variant}`}`
}
