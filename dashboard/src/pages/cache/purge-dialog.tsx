// Throwing things out of the cache: by URL, by prefix, by tag, or all; what may be much is asked a second time.
import { useId, useState } from 'preact/hooks'
import { call } from '../../api/client.ts'
import { FormDialog, showDialog } from '../../parts/dialog.tsx'
import { tellDone, tellFailure } from '../../parts/toasts.tsx'
import { bodyOf, isWide, meantWords, type Purge, type PurgeKind, purgedWords } from './purge.ts'

/** Does it, and tells what was done. @throws ApiError */
async function run(purge: Purge, onDone: () => void): Promise<void> {
  const { purged } = await call<{ readonly purged: number }>('POST', '/cache/purge', { body: bodyOf(purge) })
  tellDone(purgedWords(purge, purged))
  onDone()
}

/** One URL, at once: what it costs is one request to a backend. */
export async function purgeUrl(url: string, onDone: () => void): Promise<void> {
  try {
    await run({ kind: 'url', text: url, soft: false }, onDone)
  } catch (error) {
    tellFailure(error)
  }
}

export function askPurge(first: string, onDone: () => void): void {
  showDialog((close) => <PurgeDialog first={first} close={close} onDone={onDone} />)
}

const kinds: Readonly<Record<PurgeKind, { readonly name: string; readonly label: string; readonly example: string }>> =
  {
    url: { name: 'One URL', label: 'URL', example: 'http://example.com/logo.png' },
    prefix: { name: 'All URLs that begin with …', label: 'Prefix', example: 'http://example.com/images/' },
    tag: { name: 'All with a tag', label: 'Tag, or several', example: 'product-42' },
    all: { name: 'Everything', label: '', example: '' },
  }

interface PurgeDialogProps {
  readonly first: string
  readonly close: () => void
  readonly onDone: () => void
}

function PurgeDialog({ first, close, onDone }: PurgeDialogProps) {
  const [form, setForm] = useState<Purge>({ kind: first === '' ? 'url' : 'prefix', text: first, soft: false })
  const id = useId()
  const put = (some: Partial<Purge>): void => setForm({ ...form, ...some })
  const { label, example } = kinds[form.kind]
  const submit = async (): Promise<void> => {
    if (isWide(form)) askAgain(form, onDone)
    else await run(form, onDone)
  }
  return (
    <FormDialog title="Purge the cache" action={isWide(form) ? 'Purge …' : 'Purge'} close={close} submit={submit}>
      <label for={`${id}-kind`}>What</label>
      <select
        id={`${id}-kind`}
        value={form.kind}
        onChange={(event) => put({ kind: event.currentTarget.value as PurgeKind })}
      >
        {Object.entries(kinds).map(([kind, { name }]) => (
          <option key={kind} value={kind}>
            {name}
          </option>
        ))}
      </select>
      {form.kind !== 'all' && (
        <>
          <label for={`${id}-text`}>{label}</label>
          <input
            id={`${id}-text`}
            class="mono"
            required
            spellcheck={false}
            autocomplete="off"
            placeholder={example}
            value={form.text}
            onInput={(event) => put({ text: event.currentTarget.value })}
          />
          {form.kind !== 'tag' && (
            <p class="hint">
              With scheme and host, as in the table; <code>*://</code> is for http and https.
            </p>
          )}
        </>
      )}
      <label class="check">
        <input type="checkbox" checked={form.soft} onChange={(event) => put({ soft: event.currentTarget.checked })} />
        Soft: only mark it stale
      </label>
      <p class="hint">
        What is marked stale is asked for again before it is used, and still serves where no backend can be reached.
      </p>
    </FormDialog>
  )
}

function askAgain(purge: Purge, onDone: () => void): void {
  const action = purge.soft ? 'Mark stale' : 'Purge'
  showDialog((close) => (
    <FormDialog
      title={purge.kind === 'all' ? `${action} everything?` : `${action} all of these?`}
      action={action}
      danger
      close={close}
      submit={() => run(purge, onDone)}
    >
      <p class="what">{meantWords(purge)}</p>
      <p>
        The next requests for it go to the backends{purge.soft ? ' to be validated' : ''}, in one go if many come at
        once. There is no way back.
      </p>
    </FormDialog>
  ))
}
