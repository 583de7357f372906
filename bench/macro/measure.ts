// CPU time and memory of a process tree, from /proc.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** USER_HZ, the unit of /proc/<pid>/stat; 100 on every Linux that Node runs on. */
const microsecondsPerTick = 10_000

export interface TreeUsage {
  /** User and system time, the reaped children's too. */
  readonly cpuUs: number
  readonly rssKiB: number
  /** Sum of the high-water marks of all processes of the tree. */
  readonly peakKiB: number
}

/** CPU time and memory of a process and all its descendants. */
export function treeUsage(root: number): TreeUsage {
  let ticks = 0
  let rssKiB = 0
  let peakKiB = 0
  for (const [pid, stat] of processTree(root)) {
    ticks += stat.ticks
    const status = readText(`/proc/${pid}/status`)
    rssKiB += kibibytes(status, 'VmRSS')
    peakKiB += kibibytes(status, 'VmHWM')
  }
  return { cpuUs: ticks * microsecondsPerTick, rssKiB, peakKiB }
}

/** Sets the high-water marks of a tree to what it uses now (needs the same user; silently kept where it is refused). */
export function resetPeak(root: number): void {
  for (const pid of processTree(root).keys()) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5')
    } catch {
      // The mark then covers the time since the process started.
    }
  }
}

interface ProcessStat {
  readonly parent: number
  readonly ticks: number
}

function processTree(root: number): Map<number, ProcessStat> {
  const all = new Map<number, ProcessStat>()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null
    if (stat !== null) all.set(Number(name), stat)
  }
  const tree = new Map<number, ProcessStat>()
  const queue = [root]
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    const stat = all.get(pid)
    if (stat === undefined) continue
    tree.set(pid, stat)
    for (const [child, { parent }] of all) if (parent === pid) queue.push(child)
  }
  if (!tree.has(root)) throw new Error('the proxy has ended')
  return tree
}

function readStat(pid: number): ProcessStat | null {
  const text = readText(`/proc/${pid}/stat`)
  if (text === '') return null
  // The name in parentheses may hold spaces; the fields after it start with the state (field 3 of proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return { parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }
}

function kibibytes(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
}

/** '' when the process has just ended. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
