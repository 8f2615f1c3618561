/**
 * Loaded before every unit test; the tests share modules. The "already sent" response has to exist
 * before a listener of @hono/node-server replaces the global `Response`, as in the slow server's
 * own process. Created later, it would be sent.
 */
import '@hono/node-server/utils/response';
import { getRequestListener } from '@hono/node-server';

// Replaces `Response` before any test file, so that every file sees what the processes see.
getRequestListener(() => new Response());
