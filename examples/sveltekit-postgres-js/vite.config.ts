import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

// Only needed in this repository: installed packages are external by default, linked ones are not.
const external = ['@poolguard/core', '@poolguard/postgres-js', '@poolguard/web']

export default defineConfig({
  plugins: [sveltekit({ adapter: adapter() })],
  server: { port: Number(process.env.PORT ?? 3000) },
  ssr: { external },
  build: { rolldownOptions: { external } },
})
