/** Parameters that choose among hosts. poolguard's pools read them; a driver alone does not, or not all of them. */
export const HOST_PARAMETERS: ReadonlySet<string> = new Set(['target_session_attrs', 'load_balance_hosts', 'hostaddr'])
