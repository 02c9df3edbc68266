import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'

const Store = connectPgSimple(session)

export const store = new Store({ conString: process.env.DATABASE_URL })
