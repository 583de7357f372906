// The place of a run (backend, cores, temporary folder) and how proxies come onto it and leave it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, bodyBytes } from './backend.ts'
import { makeCertificate } from './certificate.ts'
import { checkAnswer, checkCaching } from './check-answer.ts'
import { applyLoad, type Cpus, type Instance } from './loads.ts'
import type { BenchOptions } from './options.ts'
import { freePort, type Running, start, stop, waitForPort } from './processes.ts'
import type { Front, Job, Rival } from './rivals.ts'
import type { InstanceSpec, Scenario } from './scenario.ts'

/** Of a cache whose scenario names no size. */
const defaultCacheMiB = 256

/** A proxy that runs, with the means to stop it. */
export interface Started extends Instance {
  readonly running: Running
}

export interface Stage {
  readonly directory: string
  /** In memory (tmpfs) where the system has one. */
  readonly memoryDirectory: string
  readonly backend: Backend
  readonly cpus: Cpus
  readonly options: BenchOptions
  /** What was skipped or went wrong, for the report. */
  readonly remarks: string[]
}

/** A job with free ports and folders of its own. */
export async function newJob(stage: Stage, name: string, front: Front, path: string, spec: InstanceSpec): Promise<Job> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const folder = `${name.replaceAll(/\W/g, '')}-${port}`
  const [directory, memoryDirectory] = [join(stage.directory, folder), join(stage.memoryDirectory, `${folder}-memory`)]
  for (const path of [directory, memoryDirectory]) mkdirSync(path)
  return {
    port,
    adminPort,
    backendPort: stage.backend.port,
    front,
    certificate: front === 'tls' ? makeCertificate(stage.directory) : null,
    workers: spec.workers,
    cacheMiB: front === 'cache' ? cacheSize(name, spec) : 0,
    longAnswers: bodyBytes[path]! >= 65_536,
    directory,
    memoryDirectory,
  }
}

function cacheSize(name: string, { cacheMiB = defaultCacheMiB }: InstanceSpec): number {
  return typeof cacheMiB === 'number' ? cacheMiB : (cacheMiB[name] ?? defaultCacheMiB)
}

/** Starts one instance of a proxy, checks its answer and warms it up. */
export async function startRival(stage: Stage, rival: Rival, scenario: Scenario, spec: InstanceSpec): Promise<Started> {
  const job = await newJob(stage, rival.name, scenario.front, scenario.path, spec)
  const cpus = scenario.pair ? stage.cpus.pair : stage.cpus.proxy
  const running = start({ ...rival.prepare(job), cpus, logPath: join(job.directory, 'log') })
  try {
    await waitForPort(running, job.port)
    await checkAnswer(job, stage.backend.port, scenario.path)
    if (job.cacheMiB > 0) await checkCaching(job, stage.backend, scenario.path, rival.saysHit)
    const instance = { port: job.port, pid: running.pid, running }
    if (scenario.warmUp) await applyLoad(instance, scenario.warmUp, stage.cpus, stage.options.warmUpSeconds)
    return instance
  } catch (error) {
    await stop(running)
    throw error
  }
}

/** All instances a scenario needs of one proxy; on an error none is left. */
export async function startAll(stage: Stage, rival: Rival, scenario: Scenario): Promise<Started[]> {
  const started: Started[] = []
  try {
    for (const spec of scenario.instances) started.push(await startRival(stage, rival, scenario, spec))
  } catch (error) {
    await stopAll(started)
    throw error
  }
  return started
}

/** Stops them side by side. */
export async function stopAll(instances: readonly Started[]): Promise<void> {
  await Promise.all(instances.map((instance) => stop(instance.running)))
}
