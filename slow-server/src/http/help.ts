import { MISBEHAVIOURS } from '../behaviour/behaviour.ts';

/** The response to `GET /`. */
export const HELP = `A simulated slow camera API.

GET /image            a JPEG drawn for each call, after the delay
GET /image/<name>     the same for another camera; every name looks different

The query changes one call; unknown keys are ignored:
  delay=200ms         how long it takes
  status=503          an error of this status; with retryAfter=30 also Retry-After
  as=<what>           ${MISBEHAVIOURS.join(', ')}
  to=<url>            where as=redirect leads
  size=64x36          a picture of this size
  bytes=500KiB        a JPEG of this size
  every=10m           a new picture only this often
  maxAge=30           with Cache-Control: max-age=30

PUT /behaviours/<name>?<the same keys>   for all later calls to /image/<name>
DELETE /behaviours/<name>                back to normal
GET /behaviours                          what is set
DELETE /behaviours                       all back to normal

GET /calls            every call: number, url, name, startMs, endMs, status
GET /calls?since=<n>  only those after call n
DELETE /calls         deletes them; numbering continues
GET /pauses           when the process was stalled: fromMs, toMs
GET /livez            200 while the process lives
`;
