// The pages: their names in the address, on the screen, and the keys that lead there: 1 to 9, and 0 for the tenth.
import type { IconName } from '../parts/icons.tsx'

export interface PageInfo {
  readonly name: string
  readonly title: string
  readonly icon: IconName
}

export const pages: readonly PageInfo[] = [
  { name: 'overview', title: 'Overview', icon: 'overview' },
  { name: 'pools', title: 'Pools', icon: 'pools' },
  { name: 'listeners', title: 'Listeners', icon: 'listeners' },
  { name: 'routes', title: 'Routes', icon: 'routes' },
  { name: 'cache', title: 'Cache', icon: 'cache' },
  { name: 'certificates', title: 'Certificates', icon: 'certificates' },
  { name: 'requests', title: 'Live requests', icon: 'requests' },
  { name: 'configuration', title: 'Configuration', icon: 'configuration' },
  { name: 'workers', title: 'Workers', icon: 'workers' },
  { name: 'events', title: 'Events', icon: 'events' },
]
