// What can be done to a backend: asked first, done by the API, told with a way back.
import { useId, useState } from 'preact/hooks'
import { ApiError, call } from '../../api/client.ts'
import type { BackendView } from '../../api/types.ts'
import { FormDialog, showDialog } from '../../parts/dialog.tsx'
import { tellDone, tellFailure } from '../../parts/toasts.tsx'
import { refreshBackends } from '../../store/session.ts'
import type { Backend } from '../../store/state.ts'
import { plural } from '../../text/format.ts'

type AdminState = 'up' | 'drain' | 'disabled'

const at = ({ url, pool }: Backend) => ({ url, pool })

/** What an administrator has said of it, as the API takes it. */
const adminStateOf = ({ state }: Backend): AdminState =>
  state === 'draining' ? 'drain' : state === 'disabled' ? 'disabled' : 'up'

async function change(method: 'POST' | 'PATCH' | 'DELETE', body: object): Promise<void> {
  await call<BackendView>(method, '/backends', { body })
  await refreshBackends()
}

const setState = (backend: Backend, state: AdminState, more: object = {}): Promise<void> =>
  change('PATCH', { ...at(backend), state, ...more })

const settingsOf = (backend: Backend): object => ({
  ...at(backend),
  weight: backend.weight,
  max_connections: backend.max_connections,
  backup: backend.backup,
})

/** Back among those that get requests; one that was removed and still drains is added again. */
export async function enable(backend: Backend): Promise<void> {
  const before = adminStateOf(backend)
  try {
    await setState(backend, 'up').catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return change('POST', settingsOf(backend))
      throw error
    })
    tellDone(`${backend.url} takes requests again.`, () => setState(backend, before))
  } catch (error) {
    tellFailure(error)
  }
}

function inFlight({ current_connections: open }: Backend): string {
  return open === 0 ? 'Nothing is open to it now.' : `${plural(open, 'request')} or connections are open to it now.`
}

export function askDrain(backend: Backend): void {
  showDialog((close) => <DrainDialog backend={backend} close={close} />)
}

function DrainDialog({ backend, close }: { readonly backend: Backend; readonly close: () => void }) {
  const [time, setTime] = useState('')
  const id = useId()
  const submit = async (): Promise<void> => {
    const before = adminStateOf(backend)
    await setState(backend, 'drain', time.trim() === '' ? {} : { drain: time.trim() })
    tellDone(`${backend.url} drains.`, () => setState(backend, before))
  }
  return (
    <FormDialog title="Drain this backend?" action="Drain" close={close} submit={submit}>
      <p class="what">{backend.url}</p>
      <p>
        It finishes what it has and keeps the clients that are bound to it, but gets nothing new, until you enable it
        again. {inFlight(backend)}
      </p>
      <label for={id}>At most for</label>
      <input
        id={id}
        value={time}
        placeholder="no limit"
        aria-describedby={`${id}-hint`}
        onInput={(event) => setTime(event.currentTarget.value)}
      />
      <p class="hint" id={`${id}-hint`}>
        A time such as 5m: at its end bound clients are released and what is still open is closed. Empty: no limit.
      </p>
    </FormDialog>
  )
}

export function askDisable(backend: Backend): void {
  showDialog((close) => (
    <FormDialog
      title="Disable this backend?"
      action="Disable"
      danger
      close={close}
      submit={async () => {
        const before = adminStateOf(backend)
        await setState(backend, 'disabled')
        tellDone(`${backend.url} is disabled.`, () => setState(backend, before))
      }}
    >
      <p class="what">{backend.url}</p>
      <p>
        Nobody gets to it any more, clients that are bound to it neither, until you enable it again. {inFlight(backend)}
      </p>
    </FormDialog>
  ))
}

export function askWeight(backend: Backend): void {
  showDialog((close) => <WeightDialog backend={backend} close={close} />)
}

function WeightDialog({ backend, close }: { readonly backend: Backend; readonly close: () => void }) {
  const [text, setText] = useState(String(backend.weight))
  const id = useId()
  const submit = async (): Promise<void> => {
    const weight = Number(text)
    await change('PATCH', { ...at(backend), weight })
    tellDone(`${backend.url} has weight ${weight} now.`, () =>
      change('PATCH', { ...at(backend), weight: backend.weight }),
    )
  }
  return (
    <FormDialog title="Change the weight" action="Change" close={close} submit={submit}>
      <p class="what">{backend.url}</p>
      <label for={id}>Weight</label>
      <input
        id={id}
        type="number"
        min="1"
        max="65535"
        step="1"
        required
        value={text}
        aria-describedby={`${id}-hint`}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <p class="hint" id={`${id}-hint`}>
        Its share of the requests beside the other backends of the pool; it is {backend.weight} now.
      </p>
    </FormDialog>
  )
}

export function askRemove(backend: Backend): void {
  showDialog((close) => <RemoveDialog backend={backend} close={close} />)
}

function RemoveDialog({ backend, close }: { readonly backend: Backend; readonly close: () => void }) {
  const [drain, setDrain] = useState('30s')
  const id = useId()
  const submit = async (): Promise<void> => {
    await change('DELETE', { ...at(backend), drain: drain.trim() === '' ? '30s' : drain.trim() })
    tellDone(`${backend.url} was removed from ${backend.pool}.`, () => change('POST', settingsOf(backend)))
  }
  return (
    <FormDialog title="Remove this backend?" action="Remove" danger close={close} submit={submit}>
      <p class="what">{backend.url}</p>
      <p>
        It leaves the pool <b>{backend.pool}</b>. New requests stop at once, those in flight may finish.{' '}
        {inFlight(backend)}
      </p>
      <label for={id}>Time to finish</label>
      <input
        id={id}
        value={drain}
        required
        aria-describedby={`${id}-hint`}
        onInput={(event) => setDrain(event.currentTarget.value)}
      />
      <p class="hint" id={`${id}-hint`}>
        A time such as 30s or 5m; what is open after it is cut.
      </p>
    </FormDialog>
  )
}

export function askAdd(pools: readonly string[], pool: string): void {
  showDialog((close) => <AddDialog pools={pools} first={pool} close={close} />)
}

interface AddDialogProps {
  readonly pools: readonly string[]
  readonly first: string
  readonly close: () => void
}

function AddDialog({ pools, first, close }: AddDialogProps) {
  const [form, setForm] = useState({ url: '', pool: first, weight: '1', max: '0', backup: false })
  const id = useId()
  const put = (some: Partial<typeof form>): void => setForm({ ...form, ...some })
  const submit = async (): Promise<void> => {
    const { url, pool, weight, max, backup } = form
    const added = await call<BackendView>('POST', '/backends', {
      body: { url: url.trim(), pool, weight: Number(weight), max_connections: Number(max), backup },
    })
    await refreshBackends()
    const name = { url: added.url, pool: added.pool }
    tellDone(`${added.url} was added to ${added.pool}; its first check runs.`, () => change('DELETE', name))
  }
  return (
    <FormDialog title="Add a backend" action="Add" close={close} submit={submit}>
      <label for={`${id}-url`}>Address</label>
      <input
        id={`${id}-url`}
        value={form.url}
        required
        spellcheck={false}
        autocomplete="off"
        placeholder="http://10.0.0.5:3000"
        onInput={(event) => put({ url: event.currentTarget.value })}
      />
      <label for={`${id}-pool`}>Pool</label>
      <select id={`${id}-pool`} value={form.pool} onChange={(event) => put({ pool: event.currentTarget.value })}>
        {pools.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <div class="pair">
        <div>
          <label for={`${id}-weight`}>Weight</label>
          <input
            id={`${id}-weight`}
            type="number"
            min="1"
            required
            value={form.weight}
            onInput={(event) => put({ weight: event.currentTarget.value })}
          />
        </div>
        <div>
          <label for={`${id}-max`}>Most at once (0: no limit)</label>
          <input
            id={`${id}-max`}
            type="number"
            min="0"
            required
            value={form.max}
            onInput={(event) => put({ max: event.currentTarget.value })}
          />
        </div>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={form.backup}
          onChange={(event) => put({ backup: event.currentTarget.checked })}
        />
        Backup: serves only while no other backend of the pool is available
      </label>
    </FormDialog>
  )
}
