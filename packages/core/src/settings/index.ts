export { assumedTopology } from './assumed-topology.ts'
export { defaultsFor, type FleetOptions, MAX_DISCOVERED, type Preset, type SettingsOptions } from './options.ts'
export { type PlannedBudget, planInstances } from './planned-budget.ts'
export {
  describeSettings,
  limitSettings,
  type OwnSettings,
  ownSettings,
  type ResolvedSettings,
  resolveSettings,
} from './resolve.ts'
export { poolSettings } from './settings-from-url.ts'
