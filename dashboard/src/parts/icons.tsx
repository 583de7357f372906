// The pictures: strokes on a grid of 20, drawn in the colour of the text beside them. Never the only sign of a thing.

const paths = {
  overview: 'M3 10.5 10 4l7 6.5M5 9v7.5h4V12h2v4.5h4V9',
  pools: 'M4 4.5h12v4H4zM4 11.5h12v4H4zM6.5 6.5h.01M6.5 13.5h.01',
  listeners:
    'M10 10.5v6M6.5 16.5h7M10 10.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M6 12.5a5 5 0 0 1 0-7M14 12.5a5 5 0 0 0 0-7M3.5 15a8.5 8.5 0 0 1 0-12M16.5 15a8.5 8.5 0 0 0 0-12',
  routes: 'M5 16V8a3 3 0 0 1 3-3h8m0 0-3-3m3 3-3 3M5 12h4a3 3 0 0 1 3 3v1',
  cache:
    'M4 5.5c0-1.4 2.7-2.5 6-2.5s6 1.1 6 2.5S13.3 8 10 8 4 6.9 4 5.5M4 5.5v9c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5v-9M4 10c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5',
  certificates: 'M10 2.5 4 5v4.5c0 3.8 2.5 6.4 6 8 3.5-1.6 6-4.2 6-8V5zM7.5 9.8l1.8 1.8 3.4-3.6',
  requests: 'M3 5.5h14M3 10h9M3 14.5h5M14 12l3 3-3 3',
  configuration: 'M3 5.5h8M15 5.5h2M3 14.5h2M9 14.5h8M13 3.5v4M7 12.5v4',
  workers: 'M6 6h8v8H6zM8 2.5V6M12 2.5V6M8 14v3.5M12 14v3.5M2.5 8H6M2.5 12H6M14 8h3.5M14 12h3.5',
  events: 'M10 3a5 5 0 0 0-5 5c0 4-1.5 5.5-1.5 5.5h13S15 12 15 8a5 5 0 0 0-5-5M8.5 16.5a1.6 1.6 0 0 0 3 0',
  sun: 'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  moon: 'M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3',
  help: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15M7.8 7.8a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.7M10 14h.01',
  menu: 'M3 5.5h14M3 10h14M3 14.5h14',
  close: 'm5 5 10 10M15 5 5 15',
  check: 'm4 10.5 4 4 8-9',
  cross: 'm5.5 5.5 9 9M14.5 5.5l-9 9',
  pause: 'M7 4.5v11M13 4.5v11',
  play: 'M6 4.5v11l9-5.5z',
  drain: 'M10 3v9m0 0-3.5-3.5M10 12l3.5-3.5M4 16.5h12',
  weight: 'M10 4.5v12M6 16.5h8M4 6.5h12M4 6.5 2 11.5h4zM16 6.5l-2 5h4z',
  remove: 'M4 5.5h12M8 5.5v-2h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 9v4.5M11.5 9v4.5',
  plus: 'M10 4v12M4 10h12',
  warn: 'M10 3 2.5 16.5h15zM10 8.5v3.5M10 14.2h.01',
  question: 'M7.5 7.5a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.2 1-1.2 2M10 14.5h.01',
  stop: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M5.2 5.2l9.6 9.6',
  bolt: 'M11 2.5 4.5 11.5H9l-.5 6 6.5-9h-4.5z',
  undo: 'M4 8h8a4 4 0 0 1 0 8H8M4 8l3.5-3.5M4 8l3.5 3.5',
  refresh: 'M16 4v4h-4M16 8A6.5 6.5 0 1 0 16.5 11',
  key: 'M7 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M9.5 9.5 16.5 3M13.5 5.7l2 2',
  lock: 'M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11M13 13l4 4',
  up: 'M10 16V4m0 0L5 9m5-5 5 5',
  down: 'M10 4v12m0 0 5-5m-5 5-5-5',
  arrow: 'M4 10h12m0 0-4-4m4 4-4 4',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}

/** The mark: a bell on a desk. */
export function Mark() {
  return (
    <svg class="mark" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" />
      <path d="M7 22h18M9 22a7 7 0 0 1 14 0M16 12v3" />
    </svg>
  )
}
