// The last revisions: who made each, when, what it changed; and back to one of them, with the plan first.
import { wordsOf } from '../../api/client.ts'
import type { HistoryEntry } from '../../api/types.ts'
import { showDialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Empty, Loaded, useResource } from '../../parts/resource.tsx'
import { Chip } from '../../parts/state-chip.tsx'
import { tell, tellDone } from '../../parts/toasts.tsx'
import { WriteButton } from '../../parts/write-button.tsx'
import { formatDate } from '../../text/format.ts'
import { ApplyDialog } from './apply-dialog.tsx'
import { planRollBack, rollBackTo } from './roll-back.ts'

interface HistoryView {
  readonly revision: number
  readonly history: readonly HistoryEntry[]
}

export function History() {
  const resource = useResource<HistoryView>('/config/history')
  return (
    <Loaded of={resource} what="The history">
      {({ revision, history }) =>
        history.length === 0 ? (
          <Empty title="Nothing has changed since the start" />
        ) : (
          <ol class="history" aria-label="Revisions, newest first">
            {history.map((entry) => (
              <Entry key={entry.revision} entry={entry} current={revision} />
            ))}
          </ol>
        )
      }
    </Loaded>
  )
}

function Entry({ entry, current }: { readonly entry: HistoryEntry; readonly current: number }) {
  const { revision, at, by, cause, changes } = entry
  return (
    <li class="panel">
      <header>
        <h3>Revision {revision}</h3>
        {revision === current ? (
          <Chip tone="ok" icon="check">
            in force
          </Chip>
        ) : (
          <WriteButton
            class="small"
            label={`Roll back to revision ${revision}`}
            onClick={() => void ask(revision, current)}
          >
            <Icon name="undo" size={14} /> Roll back
          </WriteButton>
        )}
      </header>
      <p class="faint">{[formatDate(at), cause, by === cause ? '' : by].filter((one) => one !== '').join(' · ')}</p>
      <ul class="words">
        {changes.map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </li>
  )
}

async function ask(revision: number, current: number): Promise<void> {
  try {
    const answer = await planRollBack(revision)
    showDialog((close) => (
      <ApplyDialog
        title={`Back to revision ${revision}?`}
        action="Roll back"
        answer={answer}
        close={close}
        submit={async () => {
          const done = await rollBackTo(revision)
          tellDone(`Rolled back to ${revision}: revision ${done.revision} is in force.`, async () => {
            await rollBackTo(current)
          })
        }}
      />
    ))
  } catch (error) {
    tell({ text: wordsOf(error), tone: 'failed' })
  }
}
