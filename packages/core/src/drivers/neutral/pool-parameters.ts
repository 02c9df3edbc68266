/** Parameters that poolguard's pools read: they choose among hosts, and look up passwords and services. A driver alone does not, or not all of them. */
export const POOL_PARAMETERS: ReadonlySet<string> = new Set([
  'target_session_attrs',
  'load_balance_hosts',
  'hostaddr',
  'passfile',
  'service',
  'servicefile',
])
