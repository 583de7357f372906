// The dashboard in a browser: what happens to backends is seen, what is done by button is done.
import assert from 'node:assert/strict'
import { startActingBackend } from '../support/acting-backend.ts'
import { colourOf, dashboardTest, rowOf, useBrowser } from '../support/dashboard-stand.ts'
import { ask, load, steadyLoad } from '../support/load.ts'
import { until } from '../support/wait.ts'

useBrowser()

const checked = { pool: { health_check: { method: 'tcp', interval: '200ms', timeout: '200ms', rise: 1, fall: 1 } } }

dashboardTest('a backend that is killed before the open page turns red within two seconds of the flip', async (o) => {
  const { proxy, backends } = await o.start(['a', 'b'], { at: 'pools', ...checked })
  const [a, b] = backends as [(typeof backends)[number], (typeof backends)[number]]
  await rowOf(o.page, b.url).locator('.chip.ok', { hasText: 'up' }).waitFor()
  // From the moment at which the proxy says so itself.
  const { url: killed } = b
  const isDown = (): boolean =>
    proxy.running.status().backends.some(({ url, state }) => url === killed && state === 'down')
  const down = until('it is down', isDown).then(() => performance.now())
  await b.close()
  const flippedAt = await down
  const chip = rowOf(o.page, killed).locator('.chip.bad', { hasText: 'down' })
  await chip.waitFor()
  const tookMs = performance.now() - flippedAt
  assert.ok(tookMs < 2_000, `${tookMs} ms`)
  o.scope.t.diagnostic(`seen ${Math.round(tookMs)} ms after the flip`)
  const [red = 0, green = 0, blue = 0] = (await colourOf(chip)).slice(0, 3)
  assert.ok(red > 2 * green && red > 2 * blue, `rgb(${red}, ${green}, ${blue})`)
  assert.match((await rowOf(o.page, killed).locator('.checked').textContent()) ?? '', /ECONNREFUSED|connection/)
  assert.equal(await rowOf(o.page, a.url).getAttribute('data-state'), 'up')
  await o.page.locator('.menu .badge', { hasText: '1' }).waitFor()
})

dashboardTest('drain by button really drains, and undo takes it back', async (o) => {
  const { proxy, backends } = await o.start(['a', 'b'], { at: 'pools' })
  const [a, b] = backends as [(typeof backends)[number], (typeof backends)[number]]
  const traffic = steadyLoad(proxy.port, { connections: 4 })
  o.scope.defer(() => traffic.stop())
  await until('both get requests', () => a.requests.length > 10 && b.requests.length > 10)
  await rowOf(o.page, a.url)
    .getByRole('button', { name: `Drain ${a.url}` })
    .click()
  const dialog = o.page.getByRole('dialog', { name: 'Drain this backend?' })
  await dialog.getByRole('button', { name: 'Drain' }).click()
  await rowOf(o.page, a.url).locator('.chip', { hasText: 'draining' }).waitFor()
  const before = a.requests.length
  const others = b.requests.length
  await until('the other one gets more', () => b.requests.length > others + 40)
  assert.ok(a.requests.length <= before + 4, `${a.requests.length - before} more after the drain`)
  await o.page.getByRole('button', { name: 'Undo' }).click()
  await o.page.locator(`[data-url="${a.url}"]:not([data-state="draining"])`).waitFor()
  const again = a.requests.length
  await until('it gets requests again', () => a.requests.length > again + 10)
  assert.deepEqual((await traffic.stop()).failures, [])
})

dashboardTest('a backend is added, weighted and removed, each time with a way back', async (o) => {
  const { proxy } = await o.start(['a'], { at: 'pools' })
  const b = o.scope.use(await startActingBackend({ name: 'b' }))
  const shares = async (): Promise<Record<string, number>> =>
    Object.fromEntries((await load(proxy.port, 24, { connections: 1 })).byBackend)

  await o.page.getByRole('button', { name: 'Add backend' }).click()
  const add = o.page.getByRole('dialog', { name: 'Add a backend' })
  await add.getByLabel('Address').fill('http://127.0.0.1:0x')
  await add.getByRole('button', { name: 'Add' }).click()
  o.complaints.expect(/status of 400/)
  await add.locator('.problem', { hasText: 'url' }).waitFor()
  await add.getByLabel('Address').fill(b.url)
  await add.getByRole('button', { name: 'Add' }).click()
  await rowOf(o.page, b.url).waitFor()
  assert.deepEqual(await shares(), { a: 12, b: 12 })

  await rowOf(o.page, b.url)
    .getByRole('button', { name: `Weight of ${b.url}` })
    .click()
  const weight = o.page.getByRole('dialog', { name: 'Change the weight' })
  await weight.getByLabel('Weight').fill('3')
  await weight.getByRole('button', { name: 'Change' }).click()
  await rowOf(o.page, b.url).locator('.weight', { hasText: '3' }).waitFor()
  assert.deepEqual(await shares(), { a: 6, b: 18 })

  await rowOf(o.page, b.url)
    .getByRole('button', { name: `Remove ${b.url}` })
    .click()
  const remove = o.page.getByRole('dialog', { name: 'Remove this backend?' })
  await remove.getByRole('button', { name: 'Cancel' }).click()
  assert.equal(await rowOf(o.page, b.url).count(), 1)
  await rowOf(o.page, b.url)
    .getByRole('button', { name: `Remove ${b.url}` })
    .click()
  await remove.getByRole('button', { name: 'Remove' }).click()
  await rowOf(o.page, b.url).waitFor({ state: 'detached' })
  assert.deepEqual(await shares(), { a: 24 })

  // By key this time; the last message is that of the removal. It comes back with its weight.
  await o.page.locator('main').focus()
  await o.page.keyboard.press('u')
  await rowOf(o.page, b.url).locator('.weight', { hasText: '3' }).waitFor()
  assert.deepEqual(await shares(), { a: 6, b: 18 })
})

dashboardTest('the overview shows traffic, its charts and what happened', async (o) => {
  const { proxy, backends } = await o.start(['a', 'b'], checked)
  const traffic = steadyLoad(proxy.port, { connections: 2 })
  o.scope.defer(() => traffic.stop())
  const tile = o.page.locator('.tile', { hasText: 'Requests' }).locator('.value').first()
  await tile.filter({ hasText: /[1-9].*\/s/ }).waitFor()
  await o.page.locator('.chart canvas').nth(3).waitFor()
  const words = await o.page.locator('.chart .plot').first().getAttribute('aria-label')
  assert.match(words ?? '', /^Requests per second, last five minutes: requests now [\d.,k]+, at most [\d.,k]+$/)
  await o.page.locator('.event[data-type="backend_up"]', { hasText: backends[0]!.url }).waitFor()
  assert.deepEqual((await traffic.stop()).failures, [])
  await o.page.getByText('2 of 2 alive').waitFor()
})

dashboardTest('live requests are shown as they end, filtered, with where their time went', async (o) => {
  const { proxy } = await o.start(['a'], { at: 'requests', workers: 1 })
  await o.page.getByText('Waiting for requests').waitFor()
  const send = async (): Promise<void> => {
    await ask(proxy.port, { path: '/api/users?id=1' })
    await ask(proxy.port, { path: '/missing', headers: { 'x-act-status': '404' } })
  }
  const rows = o.page.locator('.requests tbody tr')
  const sending = setInterval(() => void send(), 100)
  o.scope.defer(() => clearInterval(sending))
  await rows.filter({ hasText: '/api/users?id=1' }).first().waitFor()
  await rows.filter({ hasText: '/missing' }).filter({ hasText: '404' }).first().waitFor()
  await o.page.getByLabel('Status: 404, 5xx, 400-499').fill('404')
  await o.page.getByRole('button', { name: 'Clear' }).click()
  await rows.first().waitFor()
  await o.page.getByRole('button', { name: 'Clear' }).click()
  await rows.nth(2).waitFor()
  assert.equal(await rows.filter({ hasText: '/api/users' }).count(), 0)
  await o.page.getByRole('button', { name: 'Pause' }).click()
  await rows.first().getByRole('button').click()
  await o.page.locator('.request-details', { hasText: 'first byte' }).waitFor()
})

dashboardTest('every page shows what there is, and nothing complains', async (o) => {
  const streams: string[] = []
  o.page.on('request', (request) => {
    if (request.headers().accept === 'text/event-stream') streams.push(new URL(request.url()).pathname)
  })
  const { proxy } = await o.start(['a'])
  await ask(proxy.port)
  const seen: Record<string, RegExp> = {
    pools: /1 of 1 backend alive/,
    listeners: /test.*http:\/\/127\.0\.0\.1:\d+/s,
    routes: /Explain a URL.*pool default/s,
    cache: /Nothing caches yet/,
    certificates: /Nothing here speaks TLS yet/,
    requests: /Waiting for requests/,
    configuration: /From revision/,
    workers: /main thread|No worker threads/,
    events: /Backends that go up or down|backend/,
    nonsense: /There is no such page/,
  }
  for (const [name, words] of Object.entries(seen)) {
    await o.page.goto(`${new URL(o.page.url()).origin}/#/${name}`)
    await o.page.locator('main').filter({ hasText: words }).waitFor()
  }
  assert.deepEqual(streams, ['/events'], 'one stream, opened once')
})
