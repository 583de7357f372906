// The list of shortcuts, and the switch for them.
import { useState } from 'preact/hooks'
import { Dialog } from '../parts/dialog.tsx'
import { areShortcutsOn, shortcuts, switchShortcuts } from './shortcuts.ts'

export function Help({ close }: { readonly close: () => void }) {
  const [on, setOn] = useState(areShortcutsOn)
  return (
    <Dialog title="Keyboard" close={close}>
      <dl class="keys">
        {shortcuts.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => {
            switchShortcuts(event.currentTarget.checked)
            setOn(event.currentTarget.checked)
          }}
        />
        Single-key shortcuts
      </label>
    </Dialog>
  )
}
