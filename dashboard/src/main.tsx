// Starts the page.
import { render } from 'preact'

render(<h1>Frontdesk</h1>, document.getElementById('app')!)
