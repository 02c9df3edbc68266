import type { DefaultTheme } from 'vitepress'
import { readGroups } from './pages.ts'

export const CHINESE_DESCRIPTION =
  '用于 Prisma、Drizzle、TypeORM、pg 和 postgres.js 的连接池，连接数不会超出数据库的承受能力。'

/** The navigation in Chinese, and the theme's own texts. */
export const CHINESE_THEME: DefaultTheme.Config = {
  nav: [
    { text: '快速上手', link: '/zh/getting-started' },
    { text: '选项', link: '/zh/options' },
    { text: '故障排查', link: '/zh/troubleshooting' },
    { text: '全部文档', link: '/zh/contents' },
  ],
  sidebar: readGroups('docs/zh/README.md', '包（英文）'),
  outline: { level: [2, 3], label: '本页目录' },
  docFooter: { prev: '上一页', next: '下一页' },
  darkModeSwitchLabel: '外观',
  lightModeSwitchTitle: '切换到浅色模式',
  darkModeSwitchTitle: '切换到深色模式',
  sidebarMenuLabel: '目录',
  returnToTopLabel: '返回顶部',
  langMenuLabel: '切换语言',
  skipToContentLabel: '跳到正文',
  notFound: {
    title: '找不到页面',
    quote: '该页面不存在，或者已被移走。',
    linkLabel: '返回首页',
    linkText: '返回首页',
  },
}

export const CHINESE_SEARCH: NonNullable<DefaultTheme.LocalSearchOptions['translations']> = {
  button: { buttonText: '搜索' },
  modal: {
    displayDetails: '显示详情',
    resetButtonTitle: '清除',
    backButtonTitle: '关闭搜索',
    noResultsText: '没有找到结果：',
    footer: {
      selectText: '打开',
      selectKeyAriaLabel: '回车键',
      navigateText: '选择',
      navigateUpKeyAriaLabel: '上方向键',
      navigateDownKeyAriaLabel: '下方向键',
      closeText: '关闭',
      closeKeyAriaLabel: 'Esc 键',
    },
  },
}
