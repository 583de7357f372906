// Where each value of the configuration comes from: file and line, the API and who called it, or a default.
import { useState } from 'preact/hooks'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { FilterInput } from '../../parts/filter-input.tsx'
import { Loaded, useResource } from '../../parts/resource.tsx'
import { Chip, type Tone } from '../../parts/state-chip.tsx'
import { formatDate } from '../../text/format.ts'
import { valueWords } from './plan-view.tsx'

interface Origin {
  readonly path: string
  readonly value: unknown
  readonly removed?: true
  readonly origin: string
  readonly place: string | null
  readonly at: string | null
  readonly by: string | null
  readonly revision: number | null
}

const tones: Readonly<Record<string, Tone>> = { api: 'info', file: 'ok', default: 'quiet' }
const mostRows = 300

const columns: Column<Origin>[] = [
  { head: 'Path', look: 'wide', cell: ({ path }) => <span class="mono">{path}</span> },
  {
    head: 'Value',
    look: 'wide',
    cell: ({ value, removed }) =>
      removed ? <span class="bad">removed</span> : <span class="mono">{valueWords(value)}</span>,
  },
  {
    head: 'From',
    cell: ({ origin }) => <Chip tone={tones[origin] ?? 'info'}>{origin.replaceAll('_', ' ')}</Chip>,
  },
  {
    head: 'Where',
    cell: ({ place, at, by }) => (
      <span class="faint" title={place ?? undefined}>
        {place?.split('/').at(-1) ?? (by === null ? '' : `${by}${at === null ? '' : `, ${formatDate(at)}`}`)}
      </span>
    ),
  },
]

export function Origins() {
  const resource = useResource<{ revision: number; values: readonly Origin[] }>('/config', { query: { origin: '1' } })
  const [text, setText] = useState('')
  const [written, setWritten] = useState(true)
  return (
    <Loaded of={resource} what="Origins">
      {({ values }) => {
        const wanted = text.toLowerCase()
        const found = values.filter(
          ({ path, origin }) => path.toLowerCase().includes(wanted) && !(written && origin === 'default'),
        )
        return (
          <>
            <div class="toolbar">
              <FilterInput label="Filter by path" value={text} onChange={setText} />
              <label class="check">
                <input type="checkbox" checked={!written} onChange={() => setWritten(!written)} />
                Defaults too
              </label>
              <p class="count" role="status">
                {found.length > mostRows ? `${mostRows} of ${found.length} values` : `${found.length} values`}
              </p>
            </div>
            <DataTable
              label="Values and where they come from"
              columns={columns}
              rows={found.slice(0, mostRows)}
              keyOf={({ path, removed }) => `${path}${removed ? ' removed' : ''}`}
            />
          </>
        )
      }}
    </Loaded>
  )
}
