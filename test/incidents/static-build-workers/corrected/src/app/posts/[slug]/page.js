import { pool } from '../../../lib/db.js'

export async function generateStaticParams() {
  const { rows } = await pool.query('select slug from posts')
  return rows
}

export default async function Post({ params }) {
  const { slug } = await params
  const { rows } = await pool.query('select title from posts where slug = $1', [slug])
  return rows[0].title
}
