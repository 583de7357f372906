// The dashboard in a browser before a proxy with backends: what each of its tests starts with, and what must hold after it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { type ActingBackend, startActingBackend } from './acting-backend.ts'
import { Browser, type Complaints, skipWithoutChromium } from './chromium.ts'
import { Scope } from './leaks.ts'
import { type BackendEntry, type ProxyOptions, startProxy, type TestProxy } from './proxy.ts'

export interface DashboardStand {
  readonly scope: Scope
  readonly page: Page
  readonly complaints: Complaints
  /** Starts a proxy before backends of these names and shows a page of its dashboard. */
  start(names: readonly string[], o?: ProxyOptions & { readonly at?: string }): Promise<Started>
  /** The same before any backends. */
  show(backends: readonly BackendEntry[], o?: ProxyOptions & { readonly at?: string }): Promise<TestProxy>
}

export interface Started {
  readonly proxy: TestProxy
  readonly backends: readonly ActingBackend[]
}

let browser: Browser | null = null

/** To be called once in a file: its tests share a browser, each has a page of its own. */
export function useBrowser(): void {
  if (skipWithoutChromium !== false) return
  before(async () => {
    browser = await Browser.launch()
  })
  after(() => browser?.close())
}

/** A test with a page that must not have complained of anything by its end. */
export function dashboardTest(name: string, body: (stand: DashboardStand) => Promise<void>): void {
  void test(name, { skip: skipWithoutChromium, timeout: 40_000 }, async (t) => {
    const scope = new Scope(t)
    const { page, complaints } = await browser!.open()
    const show: DashboardStand['show'] = async (backends, { at = 'overview', ...options } = {}) => {
      const proxy = scope.use(await startProxy(backends, { admin: true, ...options }))
      scope.defer(() => page.close())
      await page.goto(dashboardUrl(proxy, at))
      return proxy
    }
    const start: DashboardStand['start'] = async (names, options) => {
      const backends = await Promise.all(names.map((each) => startActingBackend({ name: each })))
      for (const backend of backends) scope.use(backend)
      const proxy = await show(
        backends.map(({ url }) => url),
        options,
      )
      return { proxy, backends }
    }
    try {
      await body({ scope, page, complaints, start, show })
      assert.deepEqual(complaints.unexpected(), [])
    } finally {
      await scope.close()
    }
  })
}

export const dashboardUrl = (proxy: TestProxy, at: string): string => `http://127.0.0.1:${proxy.adminPort}/#/${at}`

/** The row of a backend. */
export const rowOf = (page: Page, url: string) => page.locator(`.row.backend[data-url="${url}"]`)

/** In the page; types of browsers are not those of these sources. */
declare function getComputedStyle(element: unknown): { readonly color: string; readonly backgroundColor: string }

/** Red, green and blue of its text, 0 to 255. */
export const colourOf = (one: Locator): Promise<number[]> =>
  one.evaluate((element) => (getComputedStyle(element).color.match(/[\d.]+/g) ?? []).map(Number))
