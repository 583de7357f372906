// Debian's Chromium, driven by playwright-core: pages that note everything a visitor's browser would complain about.
import { chromium, type Page } from 'playwright-core'
import { findProgram, skipWithout } from './peers.ts'

/** Why tests with it are skipped; false = it is there. */
export const skipWithoutChromium = skipWithout('chromium')

/** What a page complained about: the console's errors and warnings, exceptions, and what its security policy stopped. */
export class Complaints {
  readonly #found: string[] = []
  readonly #expected: RegExp[] = []

  /** What belongs to the test: a stream that it cuts, a call that it wants refused. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern)
  }

  add(complaint: string): void {
    this.#found.push(complaint)
  }

  unexpected(): string[] {
    return this.#found.filter((text) => !this.#expected.some((pattern) => pattern.test(text)))
  }
}

export interface OpenPage {
  readonly page: Page
  readonly complaints: Complaints
}

const flags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
]

/** A browser with a profile of its own; nothing of it stays. */
export class Browser {
  readonly open: () => Promise<OpenPage>
  readonly close: () => Promise<void>

  private constructor(open: Browser['open'], close: Browser['close']) {
    this.open = open
    this.close = close
  }

  static async launch(): Promise<Browser> {
    const browser = await chromium.launch({ executablePath: findProgram('chromium')!, headless: true, args: flags })
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' })
    context.setDefaultTimeout(8_000)
    return new Browser(
      async () => {
        const page = await context.newPage()
        // One behind another gets no frames and no keys.
        await page.bringToFront()
        return { page, complaints: await watched(page) }
      },
      () => browser.close(),
    )
  }
}

async function watched(page: Page): Promise<Complaints> {
  const complaints = new Complaints()
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    complaints.add(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => complaints.add(`exception: ${error.stack ?? error.message}`))
  await page.exposeFunction('tellViolation', (text: string) => complaints.add(`policy: ${text}`))
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (e) => tellViolation(e.violatedDirective + ' ' + e.blockedURI), true)",
  )
  return complaints
}
