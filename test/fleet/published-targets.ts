import type { Client } from 'pg'

/** The last published target of each instance, by name; null for one without a publication. */
export async function publishedTargets(client: Client): Promise<Map<string, number | null>> {
  const { rows } = await client.query<{ member: string; target: number | null }>(`
    select split_part(application_name, ':', 1) as member,
           (array_agg(substring(application_name from ':t=(\\d+)')::int
                      order by length(split_part(application_name, 'n=', 2)) desc,
                               split_part(application_name, 'n=', 2) collate "C" desc))[1] as target
      from pg_stat_activity where application_name like '%#%' group by 1`)
  return new Map(rows.map(({ member, target }) => [member, target]))
}
