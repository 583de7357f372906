// Fills one backend before it begins with the next: those at the end of the list stay idle and may be switched off.
import { type CustomStrategy, defineConfig } from 'frontdesk/config'

const FULL = 8

const fill: CustomStrategy = {
  build({ backends }) {
    return (request) => {
      const able = backends.filter((backend) => backend.available && !request.tried(backend))
      return able.find(({ active }) => active < FULL) ?? able.toSorted((a, b) => a.active - b.active)[0]
    }
  },
}

export default defineConfig({
  port: 8080,
  strategy: fill,
  backends: ['http://localhost:8082', 'http://localhost:8083', 'http://localhost:8084'],
})
