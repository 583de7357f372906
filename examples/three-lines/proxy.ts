import { createFrontdesk } from 'frontdesk'

const proxy = await createFrontdesk({ port: 8080, backends: ['http://localhost:8082', 'http://localhost:8083'] })
await proxy.start()
