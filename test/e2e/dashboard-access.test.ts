// Who may do what on the dashboard, and what it says when Frontdesk is away.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { startActingBackend } from '../support/acting-backend.ts'
import { dashboardTest, rowOf, useBrowser } from '../support/dashboard-stand.ts'
import { ask } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { startProxy } from '../support/proxy.ts'

useBrowser()

const guarded = {
  config: {
    admin: { listen: '127.0.0.1:2', token: 'the-full-token-of-this-test', read_token: 'only-for-reading-here' },
  },
}

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

dashboardTest('the token is asked for, a wrong one is refused, the right one opens everything', async (o) => {
  o.complaints.expect(/status of 401/)
  const { proxy, backends } = await o.start(['a'], { at: 'pools', ...guarded })
  await o.page.getByRole('heading', { name: 'Frontdesk asks for a token' }).waitFor()
  await signIn(o.page, 'not-the-token')
  await o.page.getByText('Frontdesk does not know this token.').waitFor()
  await signIn(o.page, 'the-full-token-of-this-test')
  const { url } = backends[0]!
  await rowOf(o.page, url).waitFor()
  await rowOf(o.page, url)
    .getByRole('button', { name: `Disable ${url}` })
    .click()
  await o.page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
  await rowOf(o.page, url).locator('.chip', { hasText: 'disabled' }).waitFor()
  assert.equal((await ask(proxy.port)).status, 503)
  // Kept for this tab, and nowhere else.
  await o.page.reload()
  await rowOf(o.page, url).waitFor()
  assert.equal(await o.page.evaluate<number>('localStorage.length'), 0)
  assert.ok(!o.page.url().includes('token'))
  await o.page.getByRole('button', { name: 'Sign out' }).click()
  await o.page.getByRole('heading', { name: 'Frontdesk asks for a token' }).waitFor()
})

dashboardTest('with the token for reading everything is seen, and buttons say why they do nothing', async (o) => {
  o.complaints.expect(/status of 401/)
  const { backends } = await o.start(['a'], { at: 'pools', ...guarded })
  await signIn(o.page, 'only-for-reading-here')
  const { url } = backends[0]!
  await rowOf(o.page, url).locator('.chip.ok, .chip.info').waitFor()
  await o.page.getByRole('button', { name: 'Read-only' }).waitFor()
  const drain = rowOf(o.page, url).getByRole('button', { name: `Drain ${url}` })
  assert.equal(await drain.getAttribute('aria-disabled'), 'true')
  assert.match((await drain.getAttribute('title')) ?? '', /may only read/)
  // Playwright itself would wait for a button that is enabled.
  await drain.click({ force: true })
  await o.page.locator('.toast', { hasText: 'Your token may only read' }).waitFor()
  assert.equal(await o.page.getByRole('dialog').count(), 0)

  await o.page.getByRole('button', { name: 'Read-only' }).click()
  const dialog = o.page.getByRole('dialog', { name: 'Sign in' })
  await dialog.getByLabel('Token').fill('the-full-token-of-this-test')
  await dialog.getByRole('button', { name: 'Sign in' }).click()
  await rowOf(o.page, url).locator(`button[aria-label="Drain ${url}"][aria-disabled="false"]`).waitFor()
})

dashboardTest('a lost stream is told plainly, and the page comes back by itself with Frontdesk', async (o) => {
  o.complaints.expect(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/)
  const backend = o.scope.use(await startActingBackend({ name: 'a' }))
  const lastIds: (string | undefined)[] = []
  o.page.on('request', (request) => {
    if (request.url().includes('/events')) lastIds.push(request.headers()['last-event-id'])
  })
  const proxy = await o.show([backend.url], { at: 'pools', pool: { health_check: { method: 'tcp', interval: '5s' } } })
  await rowOf(o.page, backend.url).locator('.chip.ok', { hasText: 'up' }).waitFor()
  await o.page.locator('.top .chip', { hasText: 'live' }).waitFor()
  const { adminPort } = proxy
  proxy.running.force()
  await proxy.running.stopped
  const banner = o.page.getByRole('alert').filter({ hasText: 'The stream is lost' })
  await banner.waitFor()
  assert.match((await banner.textContent()) ?? '', /What you see is from \d\d:\d\d:\d\d\. Trying again/)
  const drain = rowOf(o.page, backend.url).getByRole('button', { name: /^Drain/ })
  assert.equal(await drain.getAttribute('aria-disabled'), 'true')

  const other = await startActingBackend({ name: 'b' })
  o.scope.use(other)
  const again = await startProxy([backend.url, other.url], {
    config: {
      listeners: [{ name: 'test', listen: `127.0.0.1:${await refusingPort()}`, pool: 'default' }],
      admin: { listen: `127.0.0.1:${adminPort}` },
    },
    ownPorts: true,
  })
  o.scope.use(again)
  await rowOf(o.page, other.url).waitFor()
  await o.page.locator('.top .chip', { hasText: 'live' }).waitFor()
  assert.equal(await banner.count(), 0)
  const [first, ...later] = lastIds
  assert.equal(first, undefined)
  assert.ok(
    later.length > 0 && later.every((id) => /^\w+-\d+$/.test(id ?? '')),
    `it asked for what it missed: ${later}`,
  )
})

dashboardTest('a stop is told before it ends', async (o) => {
  o.complaints.expect(/ERR_/)
  const { proxy, backends } = await o.start(['a'])
  const held = ask(proxy.port, { headers: { 'x-act-hold': 'long' } })
  await o.page.locator('.top .chip', { hasText: 'live' }).waitFor()
  proxy.running.drain()
  await o.page.getByRole('alert').filter({ hasText: 'Frontdesk is stopping' }).waitFor()
  backends[0]!.release('long')
  assert.equal((await held).status, 200)
})
