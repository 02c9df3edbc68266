import { reactRouter } from '@react-router/dev/vite'
import { defineConfig } from 'vite'

// Only needed in this repository: installed packages are external by default, linked ones are not.
const external = ['@poolguard/core', '@poolguard/pg', '@poolguard/web']

export default defineConfig({
  plugins: [reactRouter()],
  server: { port: Number(process.env.PORT ?? 3000) },
  ssr: { external },
  build: { rolldownOptions: { external } },
})
