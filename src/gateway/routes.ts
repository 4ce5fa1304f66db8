import { Elysia } from 'elysia'
import type { Serve } from './endpoint.ts'

/** `/mcp/{profile}` and, for grants that reach so far, `/mcp`. The bodies are read here, with a limit, and by nobody before. */
export const mcpRoutes = ({ gateway: { serve } }: { gateway: { serve: Serve } }) =>
  new Elysia()
    .all('/mcp/:profile', ({ request, params }) => serve(request, params.profile), { parse: 'none' })
    .all('/mcp', ({ request }) => serve(request, undefined), { parse: 'none' })
