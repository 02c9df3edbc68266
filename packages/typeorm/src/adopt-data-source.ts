import { asyncContextIsCheap, withDeadlockDetection } from '@poolguard/core/adapter'
import { joinReplicas } from '@poolguard/pg'
import type { DataSource, QueryRunner } from 'typeorm'
import { DataSourcePools } from './data-source-pools.ts'
import { explainLoss, explainLossOfRunners } from './explain-loss.ts'
import { type GuardOptions, poolConfigs } from './pool-configs.ts'
import { type PostgresDriver, postgresDriverOf } from './postgres-driver.ts'
import { credentialsOf } from './postgres-options.ts'
import { releaseIdleRunners } from './release-idle-runners.ts'

/**
 * Sets up guarded pools for a new DataSource that is not connected yet: configures each pool and fixes TypeORM's connection
 * handling. Changes only this object.
 */
export function adoptDataSource(dataSource: DataSource, guard: GuardOptions): void {
  const driver = postgresDriverOf(dataSource)
  const pools = new DataSourcePools(guard.name !== undefined)
  configurePools(driver, pools, guard)
  joinOnceConnected(driver, guard)
  closeAfterFailure(dataSource, driver, pools)
  drainOnDestroy(driver, pools)
  releaseOnceConnected(driver)
  explainLossOfRunners(dataSource)
  if (guard.detectDeadlocks ?? asyncContextIsCheap) wrapTransactions(dataSource)
}

function configurePools(driver: PostgresDriver, pools: DataSourcePools, guard: GuardOptions): void {
  const createPool = driver.createPool.bind(driver)
  driver.createPool = (options, credentials) => {
    const index = credentialsOf(options).indexOf(credentials)
    const config = poolConfigs(options, guard).configs[index] ?? {}
    // TypeORM's `extra` overrides all other options of a pool.
    const created = createPool({ ...options, extra: pools.mark(config) }, credentials)
    return index > 0 && guard.withoutReplica !== 'reject' ? pools.keepReplica(created, config) : created
  }
}

/** Lets another server answer for a replica that cannot be used, or lacks the caller's writes. */
function joinOnceConnected(driver: PostgresDriver, guard: GuardOptions): void {
  const connect = driver.connect.bind(driver)
  driver.connect = async () => {
    await connect()
    const { maxReplicaLagMillis, readYourWritesMillis, withoutReplica } = guard
    if (driver.master && driver.slaves.length > 0)
      joinReplicas(driver.master, driver.slaves, { maxReplicaLagMillis, readYourWritesMillis, withoutReplica })
  }
}

/** TypeORM leaks the pools it has opened if another pool or the cache cannot connect. */
function closeAfterFailure(dataSource: DataSource, driver: PostgresDriver, pools: DataSourcePools): void {
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
 * TypeORM's `disconnect` closes connections in use, and loops forever over a runner that was released while it was connecting.
 * This one lets running queries and transactions finish.
 */
function drainOnDestroy(driver: PostgresDriver, pools: DataSourcePools): void {
  const disconnectPlain = driver.disconnect.bind(driver)
  driver.disconnect = () => (driver.master ? disconnect(driver, pools) : disconnectPlain())
}

async function disconnect(driver: PostgresDriver, pools: DataSourcePools): Promise<void> {
  const stop = releaseIdleRunners(driver)
  try {
    await pools.close()
  } finally {
    stop()
  }
  // The drain closed these runners' connections, or another DataSource shares their pool.
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

/** TypeORM's `release` does nothing while `connect` is pending, and the connection is then never released. */
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
  // If no `connect` is pending, release synchronously, as TypeORM does.
  runner.release = () => (connecting && !settled ? connecting.then(releaseNow) : releaseNow())
}

/** Runs each transaction under deadlock detection. Repositories use the same manager. */
function wrapTransactions({ manager }: DataSource): void {
  const transaction = manager.transaction.bind(manager) as (...work: unknown[]) => Promise<unknown>
  manager.transaction = ((...work: unknown[]) =>
    withDeadlockDetection(() => transaction(...work))) as typeof manager.transaction
}
