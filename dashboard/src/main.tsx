// Starts the page.
import { render } from 'preact'
import { App } from './shell/app.tsx'
import { startTheme } from './shell/theme.ts'
import { startSession } from './store/session.ts'

startTheme()
render(<App />, document.getElementById('app')!)
void startSession()
