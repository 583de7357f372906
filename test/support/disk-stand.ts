// A disk tier in a folder of its own for a test: opened, attached to, started again, also as a crash would leave it.
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../../src/core/log.ts'
import { attachDisk } from '../../src/disk/attach-disk.ts'
import { type DiskFiles, nodeFiles } from '../../src/disk/files.ts'
import { openDisk } from '../../src/disk/open-disk.ts'
import type { Disk, DiskTier } from '../../src/disk/types.ts'
import { fetched, versionOf } from './disk-entries.ts'
import { until } from './wait.ts'

export const mebibyte = 1024 ** 2
const lanes = 3

export class DiskStand implements Log {
  readonly path: string
  /** Events of the log. */
  readonly said: { readonly name: string; readonly message: string }[] = []
  now = Date.now()
  files: DiskFiles = nodeFiles
  size = 16 * mebibyte
  #disk: Disk | null = null
  #tiers: DiskTier[] = []

  constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<DiskStand> {
    return new DiskStand(join(await mkdtemp(join(tmpdir(), 'frontdesk-disk-')), 'cache'))
  }

  event(_level: string, name: string, message: string): void {
    this.said.push({ name, message })
  }

  get disk(): Disk {
    if (this.#disk === null) throw new Error('it is not open')
    return this.#disk
  }

  async open(): Promise<Disk> {
    const { path, size, files } = this
    this.#disk = await openDisk({ path, size, lanes, log: this, now: () => this.now }, { files, tickMs: 5 })
    return this.#disk
  }

  attach(lane = 0): DiskTier {
    const tier = attachDisk({ shared: this.disk.shared, lane, now: () => this.now }, this.files)
    this.#tiers.push(tier)
    return tier
  }

  /** As a clean stop does it. */
  async stop(): Promise<void> {
    await Promise.all(this.#tiers.map((tier) => tier.close()))
    this.#tiers = []
    await this.#disk?.close()
    this.#disk = null
  }

  async restart(): Promise<DiskTier> {
    await this.stop()
    await this.open()
    return this.attach()
  }

  /** The folder as it would be after a kill at this moment, or worse, opened; what was running goes on. */
  async afterKill(worse: (path: string) => void = () => undefined): Promise<DiskStand> {
    const other = await DiskStand.make()
    await cp(this.path, other.path, { recursive: true, filter: (name) => !name.endsWith('/lock') })
    worse(other.path)
    other.size = this.size
    other.now = this.now
    await other.open()
    return other
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(join(this.path, '..'), { recursive: true, force: true })
  }

  /** Resolves when nothing waits to be written: all that can be found of these URLs is found. */
  kept(urls: readonly string[], tier: DiskTier = this.disk.tier): Promise<void> {
    return until('they are kept', () => urls.every((url) => tier.mayHave(url)))
  }

  /** Bytes of all files in the folder. */
  async bytes(): Promise<number> {
    let sum = 0
    for (const name of await readdir(this.path)) {
      // Files come and go.
      const stats = await stat(join(this.path, name)).catch(() => null)
      sum += stats?.isFile() === true ? stats.size : 0
    }
    return sum
  }

  has(name: string): boolean {
    return this.said.some((one) => one.name === name)
  }
}

/** `URL version` of each entry that is handed over. Fails where one is torn. */
export async function versions(tier: DiskTier, urls: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    urls.map(async (url) => (await fetched(tier, url)).map((one) => `${url} ${versionOf(one)}`)),
  )
  return lists.flat()
}
