// The configuration with every default written out, to read.
import { CodeArea } from '../../parts/code-area.tsx'
import { Loaded, useResource } from '../../parts/resource.tsx'

export function Expanded() {
  const resource = useResource<unknown>('/config', { query: { expanded: '1' } })
  return (
    <Loaded of={resource} what="The configuration">
      {(value) => (
        <CodeArea label="Configuration with all defaults" text={JSON.stringify(value, null, 2)} marked={[]} />
      )}
    </Loaded>
  )
}
