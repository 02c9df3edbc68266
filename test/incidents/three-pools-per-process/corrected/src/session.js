import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import { pool } from './db.js'

const Store = connectPgSimple(session)

export const store = new Store({ pool })
