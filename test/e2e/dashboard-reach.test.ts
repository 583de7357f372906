// The dashboard for everybody: a thousand backends, a phone, the keyboard alone, screen readers, both themes.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { colourOf, dashboardTest, dashboardUrl, rowOf, useBrowser } from '../support/dashboard-stand.ts'
import { ask } from '../support/load.ts'
import { until } from '../support/wait.ts'

useBrowser()

const pages = [
  'overview',
  'pools',
  'listeners',
  'routes',
  'cache',
  'certificates',
  'requests',
  'configuration',
  'workers',
  'events',
]

const thousand = Array.from({ length: 1_000 }, (_, i) => `http://127.77.${i >> 8}.${i & 255}:9`)

dashboardTest('1,000 backends stay smooth: few rows exist, frames are short while all of them change', async (o) => {
  await o.show(thousand, { at: 'pools' })
  await o.page.getByText('1000 backends').first().waitFor()
  const rows = o.page.locator('.row.backend')
  const drawn = await rows.count()
  assert.ok(drawn > 5 && drawn < 60, `${drawn} rows are drawn`)
  const spent = await spentOn(o.page, 90, scrolling)
  o.scope.t.diagnostic(`scrolling: ${spent.toFixed(1)} ms of scripts, styles and layout for each frame`)
  assert.ok(spent < 14, `${spent} ms for each frame`)
  await rowOf(o.page, thousand[999]!).waitFor()
  await o.page.getByLabel('Filter backends').fill('127.77.1.7:')
  await o.page.getByText('1 of 1000 backends').waitFor()
  assert.equal(await rows.count(), 1)
})

dashboardTest('at the width of a phone no page is wider than the screen', async (o) => {
  await o.page.setViewportSize({ width: 360, height: 740 })
  const { proxy } = await o.start(['a', 'b'], { config: { cache: true } })
  await ask(proxy.port, { path: `/${'long'.repeat(60)}`, headers: { 'x-act-header': 'Cache-Control=max-age=60' } })
  const { origin } = new URL(o.page.url())
  for (const name of pages) {
    await o.page.goto(`${origin}/#/${name}`)
    await o.page.locator('main > *').first().waitFor()
    if (name === 'cache') await o.page.locator('.entries tbody tr').waitFor()
    const width = await o.page.evaluate<number>('document.documentElement.scrollWidth')
    assert.ok(width <= 360, `${name} is ${width} pixels wide`)
  }
  // And at none of the widths between, where columns go and the menu shrinks.
  await o.page.goto(`${origin}/#/pools`)
  for (const width of [820, 861, 1_000, 1_024, 1_121, 1_280, 1_401]) {
    await o.page.setViewportSize({ width, height: 740 })
    const remove = o.page.getByRole('button', { name: /^Remove/ }).first()
    await remove.waitFor()
    const { x, width: own } = (await remove.boundingBox())!
    assert.ok(x + own <= width, `at ${width} the last button ends at ${x + own}`)
    assert.ok((await o.page.evaluate<number>('document.documentElement.scrollWidth')) <= width, `at ${width}`)
  }
  await o.page.setViewportSize({ width: 360, height: 740 })
  await o.page.getByRole('button', { name: 'Menu' }).click()
  await o.page.getByRole('link', { name: 'Pools' }).click()
  await o.page
    .getByRole('button', { name: /^Drain/ })
    .first()
    .waitFor()
  assert.equal(await o.page.getByRole('link', { name: 'Listeners' }).isVisible(), false)
})

dashboardTest('the keyboard alone finds a backend, drains it and takes it back', async (o) => {
  const { backends, proxy } = await o.start(['a', 'b', 'c'])
  const stateOf = (url: string): string | undefined =>
    proxy.running.status().backends.find((backend) => backend.url === url)?.state
  const { keyboard } = o.page
  await o.page.locator('.top .chip', { hasText: 'live' }).waitFor()
  await keyboard.press('2')
  await rowOf(o.page, backends[1]!.url).waitFor()
  // From the head of the page to the rows.
  const focused = (): Promise<string> => o.page.evaluate<string>('document.activeElement.dataset.url ?? ""')
  for (let i = 0; i < 40 && (await focused()) === ''; i++) await keyboard.press('Tab')
  assert.equal(await focused(), backends[0]!.url)
  const outline = await o.page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle')
  assert.equal(outline, 'solid')
  await keyboard.press('ArrowDown')
  await o.page.locator(`.row.backend[data-url="${backends[1]!.url}"]:focus`).waitFor()
  await keyboard.press('d')
  await o.page.getByRole('dialog', { name: 'Drain this backend?' }).waitFor()
  await keyboard.press('Escape')
  await o.page.locator('dialog').waitFor({ state: 'detached' })
  await o.page.locator(`.row.backend[data-url="${backends[1]!.url}"]:focus`).waitFor()
  assert.notEqual(stateOf(backends[1]!.url), 'draining')
  await keyboard.press('d')
  await o.page.getByRole('dialog', { name: 'Drain this backend?' }).waitFor()
  await keyboard.press('Enter')
  await rowOf(o.page, backends[1]!.url).locator('.chip', { hasText: 'draining' }).waitFor()
  assert.equal(stateOf(backends[1]!.url), 'draining')
  await keyboard.press('e')
  await until('it takes requests again', () => stateOf(backends[1]!.url) !== 'draining')
  await keyboard.press('?')
  await o.page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
})

dashboardTest('every control has a name, every table a head, in both themes text stands out', async (o) => {
  const { proxy } = await o.start(['a', 'b'], { config: { cache: true } })
  await ask(proxy.port, { headers: { 'x-act-header': 'Cache-Control=max-age=60' } })
  for (const theme of ['light', 'dark'] as const) {
    await o.page.emulateMedia({ colorScheme: theme })
    for (const name of pages) {
      await o.page.goto(dashboardUrl(proxy, name))
      await o.page.locator('main > *').first().waitFor()
      assert.deepEqual(await nameless(o.page), [], name)
      assert.equal(await o.page.locator('table:not(:has(caption)), table:not(:has(th[scope="col"]))').count(), 0)
      assert.equal(await o.page.getByRole('heading', { level: 1 }).count(), 1)
      assert.deepEqual(await faint(o.page), [], `${name}, ${theme}`)
    }
  }
  // The switch stands above what the system says.
  const before = (await colourOf(o.page.locator('html')))[0]!
  await o.page.getByRole('button', { name: 'Light theme' }).click()
  await o.page.getByRole('button', { name: 'Dark theme' }).waitFor()
  assert.ok(before > 200 && (await colourOf(o.page.locator('html')))[0]! < 60)
})

const scrolling = `new Promise((resolve) => {
  const end = document.documentElement.scrollHeight
  let frames = 0
  const step = () => {
    scrollTo(0, (++frames / 90) * end)
    if (frames < 90) requestAnimationFrame(step)
    else resolve()
  }
  requestAnimationFrame(step)
})`

/** Milliseconds that scripts, styles and layout compute for one of so many frames, whatever else the machine does. */
async function spentOn(page: Page, frames: number, script: string): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const computedMs = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    const parts = metrics.filter(({ name }) => /^(?:Script|RecalcStyle|Layout)Duration$/.test(name))
    return parts.reduce((sum, { value }) => sum + value * 1_000, 0)
  }
  const before = await computedMs()
  await page.evaluate(script)
  const spent = (await computedMs()) - before
  await session.detach()
  return spent / frames
}

/** Controls without a name that a screen reader could say. */
const nameless = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll('button, a[href], input, select, textarea, [role=img], nav, dialog')]
    .filter((e) => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent.trim()
      || e.labels?.length || e.title))
    .map((e) => e.outerHTML.slice(0, 120))`)

/** Texts whose contrast to their ground is below 4.5 (WCAG 2.2, 1.4.3). What is disabled is exempt. */
const faint = (page: Page): Promise<string[]> =>
  page.evaluate(`(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const known = new Map()
    const rgba = (css) => {
      if (!known.has(css)) known.set(css, read(css))
      return known.get(css)
    }
    const read = (css) => {
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = css
      canvas.fillRect(0, 0, 1, 1)
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
      return [r, g, b, a / 255]
    }
    const luminance = ([r, g, b]) => {
      const part = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
      return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    }
    const ground = (e) => {
      for (; e; e = e.parentElement) {
        const colour = rgba(getComputedStyle(e).backgroundColor)
        if (colour[3] > 0.99) return colour
      }
      return rgba(getComputedStyle(document.documentElement).backgroundColor)
    }
    const found = []
    for (const e of document.querySelectorAll('#app *')) {
      const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== '')
      if (!own || !e.checkVisibility() || e.closest('[aria-disabled=true], svg, option')) continue
      const a = luminance(rgba(getComputedStyle(e).color))
      const b = luminance(ground(e))
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      if (contrast < 4.5) found.push(contrast.toFixed(2) + ' ' + e.outerHTML.slice(0, 90))
    }
    return found
  })()`)
