// The field that narrows a list; `/` brings the focus here.
import { Icon } from './icons.tsx'

export interface FilterInputProps {
  readonly label: string
  readonly value: string
  readonly onChange: (text: string) => void
}

export function FilterInput({ label, value, onChange }: FilterInputProps) {
  return (
    <span class="filter">
      <Icon name="search" />
      <input
        type="search"
        data-filter
        aria-label={label}
        placeholder={label}
        value={value}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && value === '') event.currentTarget.blur()
        }}
      />
    </span>
  )
}
