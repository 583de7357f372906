// The dashboard's view of the configuration: tried out, applied, rolled back, explained.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { dashboardTest, useBrowser } from '../support/dashboard-stand.ts'
import { ask, load } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'

useBrowser()

const editor = (page: Page) => page.getByLabel('Configuration, JSON')

async function edit(page: Page, change: (text: string) => string): Promise<void> {
  await editor(page).fill(change(await editor(page).inputValue()))
}

/** Ports that stay the same when the configuration is applied. */
async function ownPorts() {
  const [port, adminPort] = [await refusingPort(), await refusingPort()]
  const listeners = [{ name: 'test', listen: `127.0.0.1:${port}`, pool: 'default' }]
  return { ownPorts: true, config: { listeners, admin: { listen: `127.0.0.1:${adminPort}` } } } as const
}

const revisionOf = async (page: Page): Promise<number> =>
  Number(/\d+/.exec((await page.locator('.link-state .revision').textContent()) ?? '')?.[0])

dashboardTest('a change is shown as a plan, applied, seen in traffic, and rolled back from the history', async (o) => {
  const { proxy, backends } = await o.start(['a', 'b'], { at: 'configuration', ...(await ownPorts()) })
  const b = backends[1]!.url
  await o.page.getByText('From revision').waitFor()
  const first = await revisionOf(o.page)
  await edit(o.page, (text) => text.replace(`"${b}"`, `{ "url": "${b}", "weight": 3 }`))
  await o.page.getByRole('button', { name: 'Show plan' }).click()
  const plan = o.page.locator('.outcome .plan')
  await plan.filter({ hasText: b }).filter({ hasText: 'No live connection is touched' }).waitFor()
  assert.match((await plan.textContent()) ?? '', /weight/)
  assert.equal(await revisionOf(o.page), first)

  await o.page.getByRole('button', { name: 'Apply …' }).click()
  const dialog = o.page.getByRole('dialog', { name: 'Apply this configuration?' })
  await dialog.getByRole('button', { name: 'Apply' }).click()
  await o.page.locator('.toast', { hasText: /Revision \d+ is in force/ }).waitFor()
  const shares = await load(proxy.port, 24, { connections: 1 })
  assert.deepEqual(Object.fromEntries(shares.byBackend), { a: 6, b: 18 })
  await o.page.locator('.link-state .revision', { hasText: String(first + 1) }).waitFor()

  await o.page.getByRole('link', { name: 'History' }).click()
  await o.page.getByRole('button', { name: `Roll back to revision ${first}` }).click()
  const back = o.page.getByRole('dialog', { name: `Back to revision ${first}?` })
  await back.locator('.plan', { hasText: 'weight' }).waitFor()
  await back.getByRole('button', { name: 'Roll back' }).click()
  await o.page.locator('.toast', { hasText: `Rolled back to ${first}` }).waitFor()
  const even = await load(proxy.port, 24, { connections: 1 })
  assert.deepEqual(Object.fromEntries(even.byBackend), { a: 12, b: 12 })
  await o.page.locator('.history li').first().filter({ hasText: 'in force' }).waitFor()
})

dashboardTest('what is wrong is told with its line, and nothing is applied', async (o) => {
  o.complaints.expect(/status of 422/)
  await o.start(['a'], { at: 'configuration' })
  await o.page.getByText('From revision').waitFor()
  const first = await revisionOf(o.page)
  await edit(o.page, (text) => text.replace('"backends"', '"stratgy": "first",\n      "backends"'))
  const line = (await editor(o.page).inputValue()).split('\n').findIndex((one) => one.includes('stratgy')) + 1
  await o.page.getByRole('button', { name: 'Apply …' }).click()
  await o.page.locator('.mistakes', { hasText: /stratgy.*strategy/ }).waitFor()
  await o.page.getByRole('button', { name: `Line ${line}` }).click()
  const selected = await editor(o.page).evaluate((area) => {
    const { value, selectionStart, selectionEnd } = area as unknown as Record<'value', string> &
      Record<'selectionStart' | 'selectionEnd', number>
    return value.slice(selectionStart, selectionEnd)
  })
  assert.match(selected, /stratgy/)
  await edit(o.page, (text) => text.replace('"stratgy": "first",', '"strategy": "first'))
  await o.page.getByRole('button', { name: 'Show plan' }).click()
  await o.page.locator('.mistakes', { hasText: /JSON|string/ }).waitFor()
  assert.equal(await o.page.getByRole('button', { name: `Line ${line}` }).count(), 1)
  assert.equal(await o.page.getByRole('dialog').count(), 0)
  assert.equal(await revisionOf(o.page), first)
})

dashboardTest('a change that somebody else has overtaken is refused and says so', async (o) => {
  o.complaints.expect(/status of 412/)
  const { proxy } = await o.start(['a'], { at: 'configuration', ...(await ownPorts()) })
  await o.page.getByText('From revision').waitFor()
  await edit(o.page, (text) => text.replace('"backends"', '"strategy": "first",\n      "backends"'))
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ pools: { default: { strategy: 'random' } } })
  const other = await ask(proxy.adminPort, { method: 'PATCH', path: '/config', headers, body })
  assert.equal(other.status, 200, other.body)
  await o.page.getByText('Somebody has changed the configuration meanwhile').waitFor()
  await o.page.getByRole('button', { name: 'Show plan' }).click()
  await o.page.locator('.mistakes').waitFor()
  await o.page.getByRole('button', { name: 'Discard' }).click()
  await o.page.getByText(', changed here').waitFor({ state: 'detached' })
  assert.match(await editor(o.page).inputValue(), /"strategy": "random"/)
})

dashboardTest('where values come from, and the whole with its defaults', async (o) => {
  await o.start(['a'], { at: 'configuration?view=origins' })
  await o.page.locator('.data tr', { hasText: 'pools.default.backends' }).first().waitFor()
  await o.page.getByRole('link', { name: 'Expanded' }).click()
  const text = await o.page.getByLabel('Configuration with all defaults').inputValue()
  assert.match(text, /"first_byte": "10s"/)
})

dashboardTest('a URL is explained: route, pool, and each backend with its reason', async (o) => {
  const { proxy, backends } = await o.start(['a', 'b'], {
    at: 'routes',
    config: {
      routes: [
        { name: 'api', match: { path: '/api/*' }, pool: 'default' },
        { name: 'old', match: { path: '/old/*' }, redirect: { to: '/new/{path}', status: 308 } },
      ],
    },
  })
  await proxy.running.backends.drain(backends[1]!.url)
  await o.page.getByLabel('URL', { exact: true }).fill('/api/users')
  await o.page.getByRole('button', { name: 'Explain' }).click()
  const result = o.page.locator('.result')
  await result.locator('.path', { hasText: /api.*default/ }).waitFor()
  await result.locator('tr', { hasText: backends[0]!.url }).filter({ hasText: 'yes' }).waitFor()
  await result.locator('tr', { hasText: backends[1]!.url }).filter({ hasText: 'no' }).waitFor()
  await o.page.getByLabel('URL', { exact: true }).fill('/old/x')
  await o.page.getByRole('button', { name: 'Explain' }).click()
  await result.locator('.path', { hasText: '308' }).waitFor()
})
