// What the state file remembers between two lives of the process: the sticky secret, the revision, everything that was
// changed while it ran, and how to take the last of it back.

import type { Difference, DocumentChange } from '../../config/document/types.ts'
import { isLegacyOverlay, type LegacyOverlay } from './legacy-overlay.ts'

/** What an operator wants of a backend, whatever its health. */
export type AdminState = 'up' | 'drain' | 'disabled'

/** What an administrator said of a backend beside the configuration; without it: `up`. */
export interface SaidState {
  readonly state: Exclude<AdminState, 'up'>
  /** ISO 8601: the end of a drain. */
  readonly drainEndsAt?: string
}

/** By pool, then by URL in normal form. */
export type AdminStates = Readonly<Record<string, Readonly<Record<string, SaidState>>>>

/** What `state` a backend had; null = none was said. */
export interface FormerState {
  readonly pool: string
  readonly url: string
  readonly said: SaidState | null
}

/** The way back from a change; null = it was too large to be kept. */
export interface Undo {
  readonly differences: readonly Difference[]
  readonly states: readonly FormerState[]
}

/** One revision: who made it of the one before, when and how. */
export interface HistoryEntry {
  readonly revision: number
  /** ISO 8601. */
  readonly at: string
  readonly by: string
  /** `PATCH /config`, `HUP`, `rollback to 5`. */
  readonly cause: string
  /** One line each, for people. */
  readonly changes: readonly string[]
  readonly undo: Undo | null
}

/** The body of the state file. */
export interface StateDocument {
  /** Grows by one with every acknowledged change. */
  readonly revision: number
  /** 32 random bytes as hex: the key of sticky cookies when the configuration names none. */
  readonly stickySecret: string
  /** Laid over file and command line, in this order. */
  readonly changes: readonly DocumentChange[]
  readonly states: AdminStates
  /** Oldest first. */
  readonly history: readonly HistoryEntry[]
  /** Base name of the configuration file that the changes belong to; older files, and runs without a file, have none. */
  readonly configuration?: string
  /** Of what file and command line said when it was written; older files have none. */
  readonly fileDigest?: string
}

/** What the first version of the file held; see `changesOfLegacy`. */
export interface LegacyStateDocument extends Pick<StateDocument, 'revision' | 'stickySecret' | 'configuration'> {
  readonly overlay: LegacyOverlay
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)

const isDifference = (value: unknown): boolean => isObject(value) && isTexts(value.path)

const isChange = (value: unknown): boolean =>
  isDifference(value) && isObject(value) && isText(value.at) && isText(value.by) && isCount(value.revision)

function isSaid(value: unknown): boolean {
  if (!isObject(value)) return false
  const { state, drainEndsAt } = value
  return (state === 'drain' || state === 'disabled') && (drainEndsAt === undefined || isText(drainEndsAt))
}

const isStates = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((pool) => isObject(pool) && Object.values(pool).every(isSaid))

function isUndo(value: unknown): boolean {
  if (value === null) return true
  if (!isObject(value) || !Array.isArray(value.differences) || !Array.isArray(value.states)) return false
  const isFormer = (one: unknown): boolean =>
    isObject(one) && isText(one.pool) && isText(one.url) && (one.said === null || isSaid(one.said))
  return value.differences.every(isDifference) && value.states.every(isFormer)
}

function isEntry(value: unknown): boolean {
  if (!isObject(value)) return false
  const { revision, at, by, cause, changes, undo } = value
  return isCount(revision) && isText(at) && isText(by) && isText(cause) && isTexts(changes) && isUndo(undo)
}

function isCommon(value: Record<string, unknown>): boolean {
  const { revision, stickySecret, configuration } = value
  const isSecret = isText(stickySecret) && /^[0-9a-f]{64}$/.test(stickySecret)
  return isCount(revision) && isSecret && (configuration === undefined || isText(configuration))
}

/** Whether a parsed body has the shape this version writes: a checksum proves who wrote it, not that it is well formed. */
export function isStateDocument(value: unknown): value is StateDocument {
  if (!isObject(value) || !isCommon(value)) return false
  const { changes, states, history, fileDigest } = value
  const isList = (list: unknown, is: (one: unknown) => boolean): boolean => Array.isArray(list) && list.every(is)
  const isDigest = fileDigest === undefined || isText(fileDigest)
  return isList(changes, isChange) && isStates(states) && isList(history, isEntry) && isDigest
}

/** The same of what the first version wrote. */
export const isLegacyStateDocument = (value: unknown): value is LegacyStateDocument =>
  isObject(value) && isCommon(value) && isLegacyOverlay(value.overlay)
