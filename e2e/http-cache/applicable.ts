import type { SuiteTest, TestGroup } from './suite.ts';

const FRESHNESS =
  "a frame's freshness is the operator's interval, whatever `Cache-Control`, `Expires`, `Age` or `Pragma` the camera sends";
const NO_HEADERS = 'no header of the camera is passed on, so there is none to keep or to update';
const ONLY_READS = 'viewers can only `GET` and `HEAD`, and the camera is only ever sent `GET`';
const ONE_REPRESENTATION =
  'a camera has one picture: no header of a viewer reaches it, so `Vary` means nothing';
const OWN_ETAGS = 'viewers get the ETags that Lastframe makes, which are always strong and quoted';

interface Applicability {
  /** Why a test of this group doesn't apply, unless said otherwise below. */
  reason?: string;
  /** Those that do, although most of the group doesn't. */
  but?: string[];
  /** Those that don't, each with its own reason. */
  except?: Record<string, string>;
}

const GROUPS: Record<string, Applicability> = {
  'cc-freshness': { reason: FRESHNESS },
  'cc-parse': { reason: FRESHNESS },
  'age-parse': { reason: FRESHNESS },
  expires: { reason: FRESHNESS },
  'expires-parse': { reason: FRESHNESS },
  'cc-response': { reason: FRESHNESS },
  heuristic: { reason: FRESHNESS },
  'surrogate-control': { reason: FRESHNESS },
  stale: {
    except: {
      'stale-close-must-revalidate': FRESHNESS,
      'stale-close-proxy-revalidate': FRESHNESS,
      'stale-close-no-cache': FRESHNESS,
      'stale-close-s-maxage=2': FRESHNESS,
    },
  },
  method: { reason: ONLY_READS },
  invalidation: { reason: ONLY_READS },
  status: { reason: 'only a `200` with a picture is a frame; other answers are failed calls' },
  'cc-request': {
    reason:
      'no viewer can make the fleet call a camera before its interval is over, so `Cache-Control` in requests is ignored',
  },
  pragma: { reason: FRESHNESS, but: ['pragma-request-no-cache', 'pragma-request-extension'] },
  vary: { reason: ONE_REPRESENTATION },
  'vary-parse': { reason: ONE_REPRESENTATION },
  'conditional-lm': {},
  'conditional-inm': {
    except: {
      'conditional-etag-strong-respond-obs-text': OWN_ETAGS,
      'conditional-etag-unquoted-respond-unquoted': OWN_ETAGS,
      'conditional-etag-unquoted-respond-quoted': OWN_ETAGS,
      'conditional-etag-weak-respond-lowercase': OWN_ETAGS,
      'conditional-etag-weak-respond-backslash': OWN_ETAGS,
      'conditional-etag-weak-respond-omit-slash': OWN_ETAGS,
      'conditional-etag-vary-headers': ONE_REPRESENTATION,
      'conditional-etag-vary-headers-mismatch': ONE_REPRESENTATION,
      'conditional-etag-forward-unquoted': 'no `If-None-Match` of a viewer is forwarded',
    },
  },
  headers: {
    reason: NO_HEADERS,
    but: [
      'headers-omit-headers-listed-in-Connection',
      'headers-store-Connection',
      'headers-store-Keep-Alive',
      'headers-store-Proxy-Authenticate',
      'headers-store-Proxy-Authentication-Info',
      'headers-store-Proxy-Authorization',
      'headers-store-Proxy-Connection',
      'headers-store-TE',
      'headers-store-Upgrade',
    ],
    except: {
      'headers-store-Transfer-Encoding':
        'the adapter must frame the JPEG and so cannot pass a false `Transfer-Encoding` on',
    },
  },
  update304: { reason: NO_HEADERS },
  updateHEAD: { reason: ONLY_READS, but: ['head-writethrough'] },
  partial: {
    reason: 'the camera is always asked for the whole picture, so no part is ever stored',
    but: [
      'partial-store-complete-reuse-partial',
      'partial-store-complete-reuse-partial-no-last',
      'partial-store-complete-reuse-partial-suffix',
    ],
    except: { 'partial-use-headers': NO_HEADERS, 'partial-use-stored-headers': NO_HEADERS },
  },
  auth: {
    reason: "a viewer's `Authorization` never reaches the camera: credentials belong to the source",
  },
  other: {
    except: {
      'other-date-update': 'each answer has its own `Date`; the age of the frame is in `Age`',
      'other-heuristic-content-disposition-attachment': FRESHNESS,
      'other-fresh-content-disposition-attachment': FRESHNESS,
      'other-set-cookie': FRESHNESS,
    },
  },
};

/** Why a test says nothing about Lastframe; undefined if it does. */
export function whyNotApplicable(group: TestGroup, test: SuiteTest): string | undefined {
  const known = GROUPS[group.id];
  if (known === undefined) throw new Error(`nobody has judged the group ${group.id} of the suite`);
  const { reason, but = [], except = {} } = known;
  return except[test.id] ?? (but.includes(test.id) ? undefined : reason);
}

const NO_WARNING = 'no: `Warning` is obsolete (RFC 9111 5.5); `Cache-Status` says so instead';
const OWN_AGE =
  "`Age` counts from the capture; the camera's own `Age` is not read, so behind another cache the frame is older than said";

/** Why those fail that do. */
export const CAUSES: Record<string, string> = {
  'stale-warning-stored': NO_WARNING,
  'stale-warning-become': NO_WARNING,
  'conditional-lm-fresh-no-lm':
    'the frame is newer than the date that the viewer names, and so new to it (RFC 9110 13.1.3)',
  'conditional-etag-quoted-respond-unquoted':
    'no: what is not quoted is no entity tag, and the viewer gets the whole frame',
  'conditional-etag-strong-generate-unquoted':
    'no: the camera gets back what it wrote, to the letter',
  'conditional-etag-forward': 'no: conditions of viewers are judged by the frame, never forwarded',
  'head-writethrough': 'no: `HEAD` is answered from the frame, and the camera is only sent `GET`',
  'other-age-update-expires': OWN_AGE,
  'other-age-update-max-age': OWN_AGE,
};
