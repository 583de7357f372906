// A text with numbered lines; those where something is wrong are marked.
import { useMemo, useRef } from 'preact/hooks'

export interface CodeAreaProps {
  readonly label: string
  readonly text: string
  /** Lines, from 1. */
  readonly marked: readonly number[]
  /** Without it the text is only read. */
  readonly onInput?: (text: string) => void
  readonly area?: { current: HTMLTextAreaElement | null }
}

export function CodeArea({ label, text, marked, onInput, area }: CodeAreaProps) {
  const gutter = useRef<HTMLDivElement>(null)
  const count = useMemo(() => text.split('\n').length, [text])
  const numbers = useMemo(() => Array.from({ length: count }, (_, i) => i + 1).join('\n'), [count])
  return (
    <div class="code">
      <div class="gutter" aria-hidden="true">
        <div ref={gutter}>
          <pre>{numbers}</pre>
          {marked.map((line) => (
            <i key={line} style={{ top: `calc(${line - 1} * var(--code-line))` }}>
              {line}
            </i>
          ))}
        </div>
      </div>
      <textarea
        {...(area !== undefined && { ref: area })}
        aria-label={label}
        value={text}
        readOnly={onInput === undefined}
        spellcheck={false}
        autocomplete="off"
        wrap="off"
        rows={Math.min(34, Math.max(12, count))}
        onInput={(event) => onInput?.(event.currentTarget.value)}
        onScroll={(event) => {
          if (gutter.current !== null)
            gutter.current.style.transform = `translateY(${-event.currentTarget.scrollTop}px)`
        }}
      />
    </div>
  )
}
