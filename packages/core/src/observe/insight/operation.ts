/** A longer comment names no operation. */
const MAX_COMMENT = 300
/** A name, as in TypeORM's `comment('find the cart')`. */
const NAME = /^[A-Za-z][\w .:/-]{0,79}$/
/** A comment with numbers may contain data. */
const DATA = /\d{3}/

/**
 * The operation of the ORM, from the comment before or behind a statement: from the tags `model` and `action` or those of
 * https://google.github.io/sqlcommenter/spec, or the comment itself if it is a plain name.
 */
export function operationOf(text: string): string | undefined {
  const comment = commentBefore(text) ?? commentBehind(text)
  if (comment === undefined) return undefined
  const found = comment.includes('=') ? operationOfTags(comment) : comment
  return found !== undefined && NAME.test(found) && !DATA.test(found) ? found : undefined
}

function commentBefore(text: string): string | undefined {
  const trimmed = text.slice(0, MAX_COMMENT).trimStart()
  const end = trimmed.startsWith('/*') ? trimmed.indexOf('*/') : -1
  return end < 0 ? undefined : trimmed.slice(2, end).trim()
}

function commentBehind(text: string): string | undefined {
  const trimmed = text.slice(-MAX_COMMENT).trimEnd()
  const begin = trimmed.endsWith('*/') ? trimmed.lastIndexOf('/*') : -1
  return begin < 0 ? undefined : trimmed.slice(begin + 2, -2).trim()
}

function operationOfTags(comment: string): string | undefined {
  const tags = new Map(comment.split(',').map(readTag))
  const action = tags.get('action') ?? tags.get('db_operation') ?? tags.get('operation')
  const owner = tags.get('model') ?? tags.get('controller')
  return action === undefined || owner === undefined ? action : `${owner}.${action}`
}

/** `key='value'`, the value URL-encoded. */
function readTag(pair: string): readonly [key: string, value: string] {
  const [key = '', value = ''] = pair.trim().split('=', 2)
  return [key, decode(value.startsWith("'") && value.endsWith("'") ? value.slice(1, -1) : value)]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
