// The question before a configuration is applied: its plan.
import type { ConfigAnswer } from '../../api/types.ts'
import { FormDialog } from '../../parts/dialog.tsx'
import { PlanView } from './plan-view.tsx'

export interface ApplyDialogProps {
  readonly title?: string
  readonly action?: string
  readonly answer: ConfigAnswer
  readonly close: () => void
  readonly submit: () => Promise<void>
}

export function ApplyDialog(o: ApplyDialogProps) {
  const { title = 'Apply this configuration?', action = 'Apply', answer, close, submit } = o
  const touched = answer.plan?.touched_connections ?? 0
  return (
    <FormDialog title={title} action={action} danger={touched > 0} wide close={close} submit={submit}>
      <PlanView answer={answer} />
    </FormDialog>
  )
}
