import type { PageFile } from '@poolguard/page'

/**
 * The page without any data: its script asks for them. The addresses of the files consist of a query only, so that they are right
 * wherever the app serves the page.
 */
export function pageHtml(files: readonly PageFile[]): string {
  const links = files.map(({ name }) =>
    name.endsWith('.js')
      ? `<script type="module" src="?file=${name}"></script>`
      : `<link rel="stylesheet" href="?file=${name}">`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>poolguard</title>
<link rel="icon" href="data:,">
${links.join('\n')}
</head>
<body>
<div id="page"><noscript>This page needs JavaScript. Programs can read it with the admin token as bearer token at ?get=data.</noscript></div>
</body>
</html>
`
}
