/**
 * Loaded before every unit test, which share their modules. The response that says "already sent" has
 * to be there before any listener of @hono/node-server replaces the global `Response`, as it is in the
 * slow server's own process; made after that it would be sent.
 */
import '@hono/node-server/utils/response';
import { getRequestListener } from '@hono/node-server';

// Replaced here, not by whichever file comes first: every file sees what the processes have.
getRequestListener(() => new Response());
