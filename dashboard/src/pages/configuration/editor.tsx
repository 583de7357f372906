// The configuration as text: tried out (the plan, or what is wrong and in which line), then applied if nobody else has
// changed it meanwhile.
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, call, callWithTag, wordsOf } from '../../api/client.ts'
import type { ConfigAnswer, FieldProblem } from '../../api/types.ts'
import { CodeArea } from '../../parts/code-area.tsx'
import { showDialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Failure } from '../../parts/resource.tsx'
import { tellDone, tellFailure } from '../../parts/toasts.tsx'
import { GuardedButton, useRefusal, WriteButton } from '../../parts/write-button.tsx'
import { store } from '../../store/session.ts'
import { useStore } from '../../store/store.ts'
import { plural } from '../../text/format.ts'
import { jsonProblem, lineOfPath, offsetOfLine } from '../../text/json-place.ts'
import { ApplyDialog } from './apply-dialog.tsx'
import { PlanView } from './plan-view.tsx'
import { rollBackTo } from './roll-back.ts'

/** What is being edited: survives a look at another page. */
interface Draft {
  readonly text: string
  /** What it was made from. */
  readonly base: string
  readonly etag: string
}

let keptDraft: Draft | null = null

interface Mistake {
  readonly message: string
  readonly line: number | null
}

export function Editor() {
  const [draft, setDraft] = useState<Draft | null>(keptDraft)
  const [problem, setProblem] = useState<string | null>(null)
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([])
  const [answer, setAnswer] = useState<ConfigAnswer | null>(null)
  const revision = useStore(store, (state) => state.revision)
  const refusal = useRefusal()
  const area = useRef<HTMLTextAreaElement>(null)
  const isChanged = draft !== null && draft.text !== draft.base

  const keep = (next: Draft): void => {
    keptDraft = next
    setDraft(next)
  }
  const read = async (): Promise<void> => {
    try {
      const { value, etag } = await callWithTag<unknown>('GET', '/config')
      const text = `${JSON.stringify(value, null, 2)}\n`
      keep({ text, base: text, etag: etag ?? '' })
      setProblem(null)
      setMistakes([])
      setAnswer(null)
    } catch (error) {
      setProblem(wordsOf(error))
    }
  }
  // Another revision is the reason to read again
  useEffect(() => {
    if (!isChanged) void read()
  }, [revision])

  const tryOut = async (): Promise<ConfigAnswer | null> => {
    const { text, etag } = draft!
    const broken = jsonProblem(text)
    if (broken !== null) {
      setMistakes([broken])
      setAnswer(null)
      return null
    }
    try {
      const tried = await call<ConfigAnswer>('PUT', '/config', { text, query: { dry_run: '1' }, ifMatch: etag })
      setAnswer(tried)
      setMistakes([])
      return tried
    } catch (error) {
      setAnswer(null)
      setMistakes(mistakesOf(error, text))
      return null
    }
  }
  const apply = async (): Promise<void> => {
    const tried = await tryOut()
    if (tried === null) return
    showDialog((close) => (
      <ApplyDialog
        answer={tried}
        close={close}
        submit={async () => {
          const { text, etag } = draft!
          const before = etag.replaceAll(/\D/g, '')
          const applied = await call<ConfigAnswer>('PUT', '/config', { text, ifMatch: etag })
          await read()
          tellDone(`Revision ${applied.revision} is in force.`, async () => {
            await rollBackTo(Number(before))
          })
        }}
      />
    ))
  }
  const goTo = (line: number): void => {
    const from = offsetOfLine(draft!.text, line)
    area.current?.focus()
    area.current?.setSelectionRange(from, offsetOfLine(draft!.text, line + 1))
  }

  if (draft === null) {
    return problem === null ? (
      <p class="reading">Reading the configuration …</p>
    ) : (
      <Failure text={`The configuration: ${problem}`} again={() => void read()} />
    )
  }
  const overtaken = isChanged && revision !== null && draft.etag !== '' && draft.etag !== `"${revision}"`
  return (
    <div class="editor">
      <div class="toolbar">
        <p class="count">
          From revision {draft.etag.replaceAll('"', '')}
          {isChanged && ', changed here'}
        </p>
        <FileButtons />
        <button type="button" aria-disabled={!isChanged} onClick={() => isChanged && void read()}>
          <Icon name="undo" /> Discard
        </button>
        <button type="button" aria-disabled={!isChanged} onClick={() => isChanged && void tryOut()}>
          Show plan
        </button>
        <GuardedButton
          class="primary"
          refusal={refusal ?? (isChanged ? null : 'Nothing has been changed in the text')}
          onClick={() => void apply()}
        >
          Apply …
        </GuardedButton>
      </div>
      {overtaken && (
        <Failure
          text={`Somebody has changed the configuration meanwhile: revision ${revision} is in force. Copy your change, discard, and make it again.`}
        />
      )}
      {problem !== null && <Failure text={problem} again={() => void read()} />}
      <div class="editor-columns">
        <CodeArea
          area={area}
          label="Configuration, JSON"
          text={draft.text}
          marked={mistakes.flatMap(({ line }) => line ?? [])}
          onInput={(text) => keep({ ...draft, text })}
        />
        <div class="outcome" aria-live="polite">
          {mistakes.length > 0 && <Mistakes list={mistakes} goTo={goTo} />}
          {answer !== null && <PlanView answer={answer} />}
          {mistakes.length === 0 && answer === null && (
            <p class="faint">
              Change the text, then look at the plan: what would be added, changed, drained or removed, and which live
              connections that touches. Secrets are shown as <code>***</code>; left so they stay as they are.
            </p>
          )}
        </div>
      </div>
    </div>
  )
}

function mistakesOf(error: unknown, text: string): Mistake[] {
  if (!(error instanceof ApiError)) return [{ message: wordsOf(error), line: null }]
  if (error.errors.length === 0) return [{ message: error.message, line: null }]
  return error.errors.map((one) => ({ message: mistakeWords(one), line: lineOfPath(text, one.path) }))
}

function mistakeWords({ path, message, hint }: FieldProblem): string {
  const at = path === '' ? '' : `${path}: `
  return `${at}${message}${hint ? ` (${hint})` : ''}`
}

function Mistakes({ list, goTo }: { readonly list: readonly Mistake[]; readonly goTo: (line: number) => void }) {
  return (
    <>
      <h3 class="bad">
        <Icon name="warn" /> It cannot be applied
      </h3>
      <ul class="mistakes">
        {list.map(({ message, line }) => (
          <li key={`${line} ${message}`}>
            {line !== null && (
              <button type="button" class="small" onClick={() => goTo(line)}>
                Line {line}
              </button>
            )}
            <span>{message}</span>
          </li>
        ))}
      </ul>
    </>
  )
}

/** What concerns the file: read it again, write the changes into it. */
function FileButtons() {
  const reload = async (): Promise<void> => {
    try {
      const tried = await call<ConfigAnswer>('POST', '/reload', { query: { dry_run: '1' } })
      showDialog((close) => (
        <ApplyDialog
          title="Apply the file as it is now?"
          answer={tried}
          close={close}
          submit={async () => {
            const { revision } = await call<ConfigAnswer>('POST', '/reload')
            tellDone(`The file was read again; revision ${revision} is in force.`)
          }}
        />
      ))
    } catch (error) {
      tellFailure(error)
    }
  }
  const save = async (): Promise<void> => {
    try {
      const { file, changes } = await call<{ file: string; changes: readonly string[] }>('POST', '/config/save')
      const count = changes.length
      tellDone(count === 0 ? `${file} says the same already.` : `${plural(count, 'change')} written into ${file}.`)
    } catch (error) {
      tellFailure(error)
    }
  }
  return (
    <>
      <WriteButton onClick={() => void reload()}>
        <Icon name="refresh" /> Reload the file …
      </WriteButton>
      <WriteButton onClick={() => void save()}>Save into the file</WriteButton>
    </>
  )
}
