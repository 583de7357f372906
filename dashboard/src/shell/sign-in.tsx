// Asks for the token: as a page where nothing may be seen without one, as a dialog where it would allow more.
import { useId, useState } from 'preact/hooks'
import { FormDialog, showDialog } from '../parts/dialog.tsx'
import { Mark } from '../parts/icons.tsx'
import { signIn } from '../store/session.ts'

const where = 'The token of the admin API: admin.token of the configuration, or admin.read_token to look only.'

function TokenField({ value, onInput }: { readonly value: string; readonly onInput: (value: string) => void }) {
  const id = useId()
  return (
    <>
      <label for={id}>Token</label>
      <input
        id={id}
        type="password"
        required
        autocomplete="off"
        spellcheck={false}
        value={value}
        aria-describedby={`${id}-hint`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <p class="hint" id={`${id}-hint`}>
        {where} It is kept until this tab is closed.
      </p>
    </>
  )
}

/** In place of everything else. */
export function SignInPage() {
  const [token, setToken] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  return (
    <main class="sign-in">
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault()
          void signIn(token).then(setProblem)
        }}
      >
        <Mark />
        <h1>Frontdesk asks for a token</h1>
        <TokenField value={token} onInput={setToken} />
        <p class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
    </main>
  )
}

export function askForToken(): void {
  showDialog((close) => <SignInDialog close={close} />)
}

function SignInDialog({ close }: { readonly close: () => void }) {
  const [token, setToken] = useState('')
  const submit = async (): Promise<void> => {
    const problem = await signIn(token)
    if (problem !== null) throw new Error(problem)
  }
  return (
    <FormDialog title="Sign in" action="Sign in" close={close} submit={submit}>
      <TokenField value={token} onInput={setToken} />
    </FormDialog>
  )
}
