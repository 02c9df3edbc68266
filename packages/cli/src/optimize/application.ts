/** Its sessions' `application_name`. */
export const APPLICATION = 'poolguard optimize'
