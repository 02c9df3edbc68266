export { trustClients } from './client-trust.ts'
export { FleetController, type FleetControllerOptions, type FleetPort } from './fleet-controller.ts'
export { type FleetName, readFleetName } from './fleet-name.ts'
export { FleetPart } from './fleet-part.ts'
export {
  EXCHANGE_QUERY,
  EXCHANGE_QUERY_WITH_GROUPS,
  publishStatement,
  readServerSessions,
  TRY_LOCK_QUERY,
  trustRows,
} from './fleet-query.ts'
export { type ActivityRow, type FleetView, viewServer } from './fleet-view.ts'
export type { Doubt } from './limit-watch.ts'
export { ADAPTIVE_APP_LENGTH, haveSameFigures, makeMember, type Publication, requireAppName } from './member-name.ts'
export { pooledName } from './pooled-name.ts'
export { viewPooler } from './pooler-view.ts'
export type { FleetShare } from './settle-share.ts'
export type { IgnoredConnections } from './trusted-names.ts'
