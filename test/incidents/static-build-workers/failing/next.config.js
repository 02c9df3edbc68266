/** @type {import('next').NextConfig} */
export default {
  experimental: { cpus: 7 },
}
