// The entries of the cache that are used most.
import type { CacheEntryView } from '../../api/types.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Empty } from '../../parts/resource.tsx'
import { Chip, statusTone } from '../../parts/state-chip.tsx'
import { GuardedButton, useRefusal } from '../../parts/write-button.tsx'
import { formatBytes, formatCount, formatDuration } from '../../text/format.ts'

export interface TopEntriesProps {
  readonly rows: readonly CacheEntryView[]
  readonly prefix: string
  readonly onPurge: (url: string) => void
}

export function TopEntries({ rows, prefix, onPurge }: TopEntriesProps) {
  const refusal = useRefusal()
  if (rows.length === 0) {
    return (
      <Empty title={prefix === '' ? 'Nothing is stored yet' : 'No entry begins with that'}>
        <p>
          {prefix === '' ? (
            <>
              Answers that may be stored come in with the next requests. <a href="#/routes">Explain a URL</a> says
              whether one would be, and what keeps it out.
            </>
          ) : (
            'URLs are stored with scheme and host, such as http://example.com/.'
          )}
        </p>
      </Empty>
    )
  }
  return (
    <div class="entries">
      <DataTable
        label="Entries that are used most"
        columns={columnsWith(onPurge, refusal)}
        rows={rows}
        keyOf={({ url, route, variant }) => `${url} ${route} ${variant}`}
      />
    </div>
  )
}

function columnsWith(onPurge: (url: string) => void, refusal: string | null): Column<CacheEntryView>[] {
  return [
    {
      head: 'URL',
      look: 'wide',
      cell: ({ url, variant }) => (
        <>
          <span class="mono">{url}</span>
          {variant !== '' && <span class="faint"> {variant}</span>}
        </>
      ),
    },
    { head: 'Route', cell: ({ route }) => route },
    { head: 'Status', cell: ({ status }) => <Chip tone={statusTone(status)}>{status}</Chip> },
    { head: 'Size', look: 'number', cell: ({ bytes }) => formatBytes(bytes) },
    { head: 'Hits', look: 'number', cell: ({ hits }) => formatCount(hits) },
    { head: 'Age', look: 'number', cell: ({ age_seconds: age }) => formatDuration(age) },
    {
      head: 'Fresh for',
      look: 'number',
      cell: ({ ttl_seconds: ttl }) =>
        ttl > 0 ? formatDuration(ttl) : <span class="faint">stale for {formatDuration(-ttl)}</span>,
    },
    {
      head: 'Purge',
      look: 'number',
      cell: ({ url }) => (
        <GuardedButton class="plain" label={`Purge ${url}`} refusal={refusal} onClick={() => onPurge(url)}>
          <Icon name="remove" size={14} />
        </GuardedButton>
      ),
    },
  ]
}
