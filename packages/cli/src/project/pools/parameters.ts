import type * as t from '@babel/types'

/** The names that a parameter declares. */
export function namesOfParameter(parameter: t.Function['params'][number]): string[] {
  const inner = parameter.type === 'TSParameterProperty' ? parameter.parameter : parameter
  const pattern = inner.type === 'AssignmentPattern' ? inner.left : inner
  if (pattern.type === 'Identifier') return [pattern.name]
  if (pattern.type !== 'ObjectPattern') return []
  return pattern.properties.flatMap((each) =>
    each.type === 'ObjectProperty' && each.value.type === 'Identifier' ? [each.value.name] : [],
  )
}

/** The first of them. */
export function nameOfParameter(parameter: t.Function['params'][number]): string | undefined {
  return namesOfParameter(parameter)[0]
}
