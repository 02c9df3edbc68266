/** `application_name` of optimize's sessions. */
export const APPLICATION = 'poolguard optimize'
