// Backups: they serve only when no primary can take the exchange, be it down, full or tried.
import type { BackendSpec } from '../../core/spec.ts'
import type { Picker, PickerInput, Selection, Standing, Strategy } from '../strategy.ts'

class Tiers implements Picker {
  private readonly primary: Picker
  private readonly backup: Picker

  constructor(primary: Picker, backup: Picker) {
    this.primary = primary
    this.backup = backup
  }

  pick(selection: Selection): BackendSpec | undefined {
    return this.primary.pick(selection) ?? this.backup.pick(selection)
  }

  /** Backups are considered where no primary would be taken. */
  explain(selection: Selection, ahead = 0): Standing {
    const primary = this.primary.explain(selection, ahead)
    const isEnough = primary.next.length > 0
    const backup = this.backup.explain(selection, ahead + primary.draws)
    return {
      meaning: primary.meaning,
      scores: new Map([...primary.scores, ...backup.scores]),
      next: isEnough ? primary.next : backup.next,
      draws: primary.draws + (isEnough ? 0 : backup.draws),
    }
  }
}

/** A picker over primaries first, then backups; the strategy's own where there are no backups. */
export function tiers(strategy: Pick<Strategy, 'build'>, input: PickerInput): Picker {
  const backups = input.backends.filter(({ backup }) => backup)
  if (backups.length === 0) return strategy.build(input)
  const primaries = input.backends.filter(({ backup }) => !backup)
  return new Tiers(strategy.build({ ...input, backends: primaries }), strategy.build({ ...input, backends: backups }))
}
