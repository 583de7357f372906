// The page of the cache in a browser, before a cache that really keeps answers.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { dashboardTest, dashboardUrl, useBrowser } from '../support/dashboard-stand.ts'
import { ask } from '../support/load.ts'
import type { TestProxy } from '../support/proxy.ts'

useBrowser()

const caching = { config: { cache: true, cache_store: { memory: '16MB' } } }

/** An answer that may be kept for a minute. */
const fetch = async (proxy: TestProxy, path: string, more: object = {}): Promise<string> => {
  const headers = { host: 'example.com', 'x-act-header': 'Cache-Control=max-age=60', ...more }
  const { status, headers: fields } = await ask(proxy.port, { path, headers })
  assert.equal(status, 200)
  return String(fields['cache-status'])
}

const rowOf = (page: Page, url: string) => page.locator('.entries tbody tr').filter({ hasText: url })

dashboardTest('what is cached is seen as it is used: ratio, bytes, the most used URLs', async (o) => {
  const { proxy } = await o.start(['a'], { at: 'cache', ...caching })
  await o.page.getByText('Nothing is stored yet').waitFor()
  for (let i = 0; i < 8; i++) await fetch(proxy, '/logo.png')
  await fetch(proxy, '/images/a.png')
  await fetch(proxy, '/images/b.png')
  const logo = rowOf(o.page, 'http://example.com/logo.png')
  await logo.filter({ has: o.page.locator('[data-label="Hits"]', { hasText: /^7$/ }) }).waitFor()
  await o.page.locator('.results > div', { hasText: 'hit' }).filter({ hasText: '7' }).waitFor()
  await o.page.locator('.results > div', { hasText: 'miss' }).filter({ hasText: '3' }).waitFor()
  await o.page.locator('.tile', { hasText: 'Hit ratio' }).filter({ hasText: '70 % in all' }).waitFor()
  await o.page.locator('.tile', { hasText: 'Entries' }).locator('.value', { hasText: '3' }).waitFor()
  await o.page.locator('.tile', { hasText: 'Memory' }).filter({ hasText: 'of 16 MB' }).waitFor()
  await o.page.locator('.tile', { hasText: 'Disk' }).filter({ hasText: 'off' }).waitFor()
  const words = await o.page.locator('.chart .plot').first().getAttribute('aria-label')
  assert.match(words ?? '', /^Hit ratio, last five minutes: of requests now .*, at most \d/)

  await o.page.getByLabel('URL begins with').fill('http://example.com/images/')
  await logo.waitFor({ state: 'detached' })
  assert.equal(await o.page.locator('.entries tbody tr').count(), 2)
  await o.page.getByLabel('URL begins with').fill('http://nobody/')
  await o.page.getByText('No entry begins with that').waitFor()
})

dashboardTest('purging: one URL from its row, a prefix and everything only after a question', async (o) => {
  const { proxy, backends } = await o.start(['a'], { at: 'cache', ...caching })
  for (const path of ['/a', '/b/1', '/b/2', '/c']) await fetch(proxy, path)
  const a = rowOf(o.page, 'http://example.com/a')
  await a.getByRole('button', { name: 'Purge http://example.com/a' }).click()
  await o.page.locator('.toast', { hasText: '1 entry purged: http://example.com/a.' }).waitFor()
  await a.waitFor({ state: 'detached' })
  assert.match(await fetch(proxy, '/a'), /fwd=/)
  assert.match(await fetch(proxy, '/b/1'), /hit/)

  await o.page.getByLabel('URL begins with').fill('http://example.com/b/')
  await o.page.getByRole('button', { name: 'Purge …' }).click()
  const dialog = o.page.getByRole('dialog', { name: 'Purge the cache' })
  assert.equal(await dialog.getByLabel('Prefix').inputValue(), 'http://example.com/b/', 'what the list is filtered by')
  await dialog.getByLabel(/^Soft/).check()
  await dialog.getByRole('button', { name: 'Purge …' }).click()
  const question = o.page.getByRole('dialog', { name: 'Mark stale all of these?' })
  await question.getByText('everything whose URL begins with http://example.com/b/').waitFor()
  await question.getByRole('button', { name: 'Mark stale' }).click()
  await o.page.locator('.toast', { hasText: '2 entries marked stale' }).waitFor()
  await rowOf(o.page, 'http://example.com/b/1').filter({ hasText: 'stale' }).waitFor()

  const before = backends[0]!.requests.length
  await o.page.getByLabel('URL begins with').fill('')
  await o.page.getByRole('button', { name: 'Purge …' }).click()
  await dialog.getByLabel('What').selectOption('all')
  await dialog.getByRole('button', { name: 'Purge …' }).click()
  const all = o.page.getByRole('dialog', { name: 'Purge everything?' })
  await all.getByRole('button', { name: 'Cancel' }).click()
  assert.match(await fetch(proxy, '/c'), /hit/)
  assert.equal(backends[0]!.requests.length, before)
  await o.page.getByRole('button', { name: 'Purge …' }).click()
  await dialog.getByLabel('What').selectOption('all')
  await dialog.getByRole('button', { name: 'Purge …' }).click()
  await all.getByRole('button', { name: 'Purge', exact: true }).click()
  await o.page.locator('.toast', { hasText: 'everything in the cache' }).waitFor()
  await o.page.getByText('Nothing is stored yet').waitFor()
  assert.match(await fetch(proxy, '/c'), /fwd=/)

  // What is wrong is said in the dialog, and the dialog stays.
  o.complaints.expect(/status of 4\d\d/)
  await o.page.getByRole('button', { name: 'Purge …' }).click()
  await dialog.getByLabel('URL', { exact: true }).fill('no url')
  await dialog.getByRole('button', { name: 'Purge' }).click()
  await dialog.locator('.problem', { hasText: /\w/ }).waitFor()
})

dashboardTest('who may only read sees the cache and purges nothing; who has none is told how', async (o) => {
  o.complaints.expect(/status of 401/)
  const admin = { listen: '127.0.0.1:2', token: 'the-full-token-of-this-test', read_token: 'only-for-reading-here' }
  const { proxy } = await o.start(['a'], { at: 'cache', config: { ...caching.config, admin } })
  await fetch(proxy, '/a')
  await o.page.getByLabel('Token').fill('only-for-reading-here')
  await o.page.getByRole('button', { name: 'Sign in' }).click()
  const purge = rowOf(o.page, 'http://example.com/a').getByRole('button', { name: /^Purge/ })
  await purge.waitFor()
  assert.equal(await purge.getAttribute('aria-disabled'), 'true')
  await purge.click({ force: true })
  await o.page.locator('.toast', { hasText: 'Your token may only read' }).waitFor()
  assert.match(await fetch(proxy, '/a'), /hit/)

  const bare = await o.show(['http://127.0.0.1:9'])
  await o.page.goto(dashboardUrl(bare, 'cache'))
  await o.page.getByText('Nothing caches yet').waitFor()
})

dashboardTest('live requests say what the cache did', async (o) => {
  const { proxy } = await o.start(['a'], { at: 'requests', ...caching })
  await o.page.getByText('Waiting for requests').waitFor()
  const sending = setInterval(() => void fetch(proxy, '/a').catch(() => {}), 100)
  o.scope.defer(() => clearInterval(sending))
  const results = o.page.locator('.requests td[data-label="Cache"]')
  await results.filter({ hasText: 'hit' }).first().waitFor()
  await o.page.getByLabel('What the cache did').selectOption('bypass')
  await o.page.getByText('None that the filter lets through').waitFor()
  assert.equal(await results.count(), 0)
})

dashboardTest('explaining a URL says whether it would come from the cache, and why', async (o) => {
  const { proxy } = await o.start(['a'], { at: 'routes', ...caching })
  const explain = async (url: string): Promise<void> => {
    await o.page.getByLabel('URL', { exact: true }).fill(url)
    await o.page.getByRole('button', { name: 'Explain' }).click()
  }
  const told = o.page.locator('.cached')
  await explain('http://example.com/a')
  await told.filter({ hasText: 'would ask a backend' }).waitFor()
  await fetch(proxy, '/a')
  await explain('http://example.com/a')
  await told.filter({ hasText: 'would be a hit' }).filter({ hasText: 'http://example.com/a' }).waitFor()
})
