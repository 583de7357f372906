// The thread that computes hashes of passwords, one after another. It has no other work, and little claim to the processor:
// a flood of wrong passwords must not slow down those whom the worker serves.
import { timingSafeEqual } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hashSync } from 'bcryptjs'
import { type PasswordHash, parsePasswordHash, verifyScrypt } from '../../../util/password-hash.ts'

/** What it is asked, and what it answers. */
export interface HashingQuestion {
  readonly password: string
  readonly hash: string
}
export type HashingAnswer = { readonly matches: boolean } | { readonly problem: string }

yieldToOthers()
parentPort?.on('message', (question: HashingQuestion) => parentPort?.postMessage(answerTo(question)))

function answerTo({ password, hash }: HashingQuestion): HashingAnswer {
  try {
    return { matches: matches(password, parsePasswordHash(hash)) }
  } catch (error) {
    return { problem: String(error) }
  }
}

function matches(password: string, hash: PasswordHash): boolean {
  if (hash.kind === 'scrypt') return verifyScrypt(password, hash)
  // Only the first 72 bytes count, as in every bcrypt.
  const computed = hashSync(password, hash.settings).slice(hash.settings.length)
  return timingSafeEqual(Buffer.from(computed), Buffer.from(hash.expected))
}

/** Linux takes the number of a thread here; elsewhere threads of one process are equals. */
function yieldToOthers(): void {
  if (process.platform !== 'linux') return
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // No /proc, or not permitted: then it has a thread's ordinary share.
  }
}
