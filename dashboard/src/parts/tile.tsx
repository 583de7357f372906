// A figure with its name above it and what belongs to it below.
import type { ComponentChildren } from 'preact'

export interface TileProps {
  readonly name: string
  readonly value: string
  readonly unit?: string
  readonly bad?: boolean
  readonly children: ComponentChildren
}

export function Tile({ name, value, unit = '', bad = false, children }: TileProps) {
  return (
    <div class={bad ? 'tile bad' : 'tile'}>
      <h3>{name}</h3>
      <p class="value">
        {value}
        <small>{unit}</small>
      </p>
      <p class="more">{children}</p>
    </div>
  )
}
