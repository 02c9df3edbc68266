export { pool as reports } from './db.js'
