// The page of events: what has happened, newest first; the same as the log tells.
import { useMemo, useState } from 'preact/hooks'
import { EventLine, kindWords } from '../parts/event-line.tsx'
import { FilterInput } from '../parts/filter-input.tsx'
import { Empty } from '../parts/resource.tsx'
import { store } from '../store/session.ts'
import { useStore } from '../store/store.ts'
import { formatTime } from '../text/format.ts'

export function Events() {
  const events = useStore(store, (state) => state.events)
  const [text, setText] = useState('')
  const [type, setType] = useState('')
  const types = useMemo(() => [...new Set(events.map(({ data }) => data.type))].sort(), [events])
  const shown = events.filter(
    ({ data }) =>
      (type === '' || data.type === type) && (data.message ?? data.type).toLowerCase().includes(text.toLowerCase()),
  )
  return (
    <>
      <div class="toolbar">
        <FilterInput label="Filter events" value={text} onChange={setText} />
        <select aria-label="Kind" value={type} onChange={(event) => setType(event.currentTarget.value)}>
          <option value="">All kinds</option>
          {types.map((name) => (
            <option key={name} value={name}>
              {kindWords(name)}
            </option>
          ))}
        </select>
        <p class="count" role="status">
          {shown.length} events
        </p>
      </div>
      {shown.length === 0 ? (
        <Empty title={events.length === 0 ? 'Nothing has happened yet' : 'No event matches the filter'}>
          <p>Backends that go up or down, changes of the configuration, certificates and workers are told here.</p>
        </Empty>
      ) : (
        <section class="panel">
          <ul class="lines events" aria-label="Events">
            {shown.map(({ id, data }) => (
              <EventLine key={id} data={data} when={formatTime(data.at)} />
            ))}
          </ul>
        </section>
      )}
    </>
  )
}
