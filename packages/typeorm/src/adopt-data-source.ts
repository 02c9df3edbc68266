import { withDeadlockDetection } from '@poolguard/core'
import { asyncContextIsCheap } from '@poolguard/core/adapter'
import type { DataSource, QueryRunner } from 'typeorm'
import { explainLoss, explainLossOfRunners } from './explain-loss.ts'
import { HeldPools } from './held-pools.ts'
import type { GuardOptions } from './pool-configs.ts'
import { poolConfigs } from './pool-configs.ts'
import { type PostgresDriver, postgresDriverOf } from './postgres-driver.ts'
import { credentialsOf } from './postgres-options.ts'
import { releaseIdleRunners } from './release-idle-runners.ts'

/**
 * Puts a DataSource that was just made, and is not connected, in charge of guarded pools: each of its pools gets its
 * own configuration, and what TypeORM does with a connection around its pool loses its hazards. Nothing beyond this one
 * object is changed.
 */
export function adoptDataSource(dataSource: DataSource, guard: GuardOptions): void {
  const driver = postgresDriverOf(dataSource)
  const pools = new HeldPools(guard.name !== undefined)
  configurePools(driver, pools, guard)
  closeAfterFailure(dataSource, driver, pools)
  drainOnDestroy(driver, pools)
  releaseOnceConnected(driver)
  explainLossOfRunners(dataSource)
  if (guard.detectDeadlocks ?? asyncContextIsCheap) openScopes(dataSource)
}

function configurePools(driver: PostgresDriver, pools: HeldPools, guard: GuardOptions): void {
  const createPool = driver.createPool.bind(driver)
  driver.createPool = (options, credentials) => {
    const config = poolConfigs(options, guard).configs[credentialsOf(options).indexOf(credentials)] ?? {}
    // TypeORM's `extra` stands over all else that it gives a pool.
    return createPool({ ...options, extra: pools.mark(config) }, credentials)
  }
}

/** TypeORM forgets the pools that it has opened where one of them, or the cache, cannot be connected. */
function closeAfterFailure(dataSource: DataSource, driver: PostgresDriver, pools: HeldPools): void {
  const initialize = dataSource.initialize.bind(dataSource)
  dataSource.initialize = async () => {
    try {
      return await initialize()
    } catch (error) {
      if (!dataSource.isInitialized) await disconnect(driver, pools)
      throw error
    }
  }
}

/**
 * TypeORM takes the connections from whoever has them, and spins for ever over one that was released while it was still
 * being connected. Here queries and transactions that run may finish.
 */
function drainOnDestroy(driver: PostgresDriver, pools: HeldPools): void {
  const complain = driver.disconnect.bind(driver)
  driver.disconnect = () => (driver.master ? disconnect(driver, pools) : complain())
}

async function disconnect(driver: PostgresDriver, pools: HeldPools): Promise<void> {
  const stop = releaseIdleRunners(driver)
  try {
    await pools.close()
  } finally {
    stop()
  }
  // Their connections were taken from them, or belong to a pool that others go on with.
  await Promise.all(driver.connectedQueryRunners.splice(0).map((runner) => runner.release()))
  driver.master = undefined
  driver.slaves = []
}

function releaseOnceConnected(driver: PostgresDriver): void {
  const createQueryRunner = driver.createQueryRunner.bind(driver)
  driver.createQueryRunner = (mode) => {
    const runner = createQueryRunner(mode)
    waitForConnect(runner)
    return runner
  }
}

/**
 * TypeORM's `release` does nothing while `connect` is pending, and the connection that comes then is never given back.
 */
function waitForConnect(runner: QueryRunner): void {
  const connect = runner.connect.bind(runner)
  const release = runner.release.bind(runner)
  let connecting: Promise<void> | undefined
  let settled = false
  let stopExplaining = () => {}
  const settle = () => {
    settled = true
  }
  runner.connect = () => {
    const connection = connect()
    connecting ??= connection
      .then((client) => {
        stopExplaining = explainLoss(runner, client)
      })
      .then(settle, settle)
    return connection
  }
  const releaseNow = () => {
    stopExplaining()
    return release()
  }
  // Where nothing is pending, it is as prompt as TypeORM's.
  runner.release = () => (connecting && !settled ? connecting.then(releaseNow) : releaseNow())
}

/** Each transaction runs in a scope of its own. Repositories have the same manager. */
function openScopes({ manager }: DataSource): void {
  const transaction = manager.transaction.bind(manager) as (...work: unknown[]) => Promise<unknown>
  manager.transaction = ((...work: unknown[]) =>
    withDeadlockDetection(() => transaction(...work))) as typeof manager.transaction
}
