import { createServer, type Server } from 'node:http'
import { PoolguardModule } from '@poolguard/nestjs'
import { poolguardPage, poolguardWeb } from '@poolguard/web'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import { expect, onTestFinished, test } from 'vitest'
import { type Platform, startApp } from '../integration/nestjs-app.ts'

const TOKEN = 'the-admin-token'
const PATH = '/admin/poolguard'
const options = { page: true, adminToken: TOKEN }

/** The address of an app that is closed after the test. */
async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

async function startNest(platform: Platform): Promise<string> {
  const { app, url } = await startApp(platform, { imports: [PoolguardModule.forRoot(options)] })
  onTestFinished(async () => {
    app.getHttpServer().closeAllConnections()
    await app.close()
  })
  return url
}

const apps: Readonly<Record<string, () => Promise<string>>> = {
  Express: () => listen(createServer(express().use(poolguardWeb(options).express()))),
  'Express after a body parser': () =>
    listen(createServer(express().use(express.json()).use(poolguardWeb(options).express()))),
  'NestJS on Express': () => startNest('express'),
  'NestJS on Fastify': () => startNest('fastify'),
  Koa: () => listen(createServer(new Koa().use(poolguardWeb(options).koa()).callback())),
}

test.each(Object.entries(apps))('%s serves the page, the login and the stream', async (_name, start) => {
  const address = await start()
  const page = await fetch(`${address}${PATH}`)
  expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining("'self'")])
  await checkLogin((query, init) => fetch(`${address}${PATH}${query}`, init))
})

test('Hono serves the page, the login and the stream, also where the app mounts it', async () => {
  const hono = new Hono().use(poolguardWeb(options).hono())
  const mounted = poolguardPage({ adminToken: TOKEN })
  hono.all('/internal/database', (context) => mounted(context.req.raw))
  for (const path of [PATH, '/internal/database']) {
    await checkLogin(async (query, init) => hono.request(`${path}${query}`, init))
  }
})

test('given no admin token, then there is no page', () => {
  expect(() => poolguardPage({ adminToken: undefined })).toThrow(/^Invalid option adminToken/)
  expect(() => poolguardWeb({ page: true })).toThrow(/^Invalid option adminToken/)
})

async function checkLogin(ask: (query: string, init?: RequestInit) => Promise<Response>): Promise<void> {
  const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
  const logIn = (token: string) => ask('?do=login', { method: 'POST', headers, body: JSON.stringify({ token }) })
  expect((await ask('?get=data')).status).toBe(401)
  expect((await logIn('wrong')).status).toBe(401)
  const { status, headers: given } = await logIn(TOKEN)
  expect(status).toBe(204)
  const cookie = given.get('set-cookie')?.split(';')[0] ?? ''
  const abort = new AbortController()
  const stream = await ask('?get=stream', { headers: { cookie }, signal: abort.signal })
  expect(stream.headers.get('content-type')).toBe('text/event-stream')
  const reader = stream.body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  expect(new TextDecoder().decode(value)).toMatch(/^retry: 1000\ndata: \{"time":\d+,/)
  await reader?.cancel()
  abort.abort()
}
