// The pages: their names in the address, on the screen, and the key that leads there.
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
  { name: 'certificates', title: 'Certificates', icon: 'certificates' },
  { name: 'requests', title: 'Live requests', icon: 'requests' },
  { name: 'configuration', title: 'Configuration', icon: 'configuration' },
  { name: 'workers', title: 'Workers', icon: 'workers' },
  { name: 'events', title: 'Events', icon: 'events' },
]
