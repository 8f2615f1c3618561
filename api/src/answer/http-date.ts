import { MAX_DATE_LENGTH } from '@lastframe/shared/http/http-fields';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const TIME = String.raw`(?<h>\d\d):(?<m>\d\d):(?<s>\d\d)`;
const MONTH = `(?<month>${MONTHS.join('|')})`;

/** IMF-fixdate, RFC 850 and asctime: the three forms that RFC 9110 5.6.7 requires. */
const FORMS = [
  new RegExp(String.raw`^${DAY}, (?<day>\d\d) ${MONTH} (?<year>\d{4}) ${TIME} GMT$`),
  new RegExp(String.raw`^${LONG_DAY}, (?<day>\d\d)-${MONTH}-(?<year>\d\d) ${TIME} GMT$`),
  new RegExp(String.raw`^${DAY} ${MONTH} (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
];

/**
 * Returns an HTTP date in milliseconds; undefined for anything else. `Date.parse` accepts almost
 * anything, and reads asctime in the local time zone.
 */
export function parseHttpDate(text: string, nowMs = Date.now()): number | undefined {
  if (text.length > MAX_DATE_LENGTH) return undefined;
  const value = text.trim();
  for (const form of FORMS) {
    const parts = form.exec(value)?.groups;
    if (!parts) continue;
    const [day, h, m, s] = [parts.day, parts.h, parts.m, parts.s].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    const month = MONTHS.indexOf(parts.month ?? '');
    const ms = Date.UTC(fullYear(parts.year ?? '', nowMs), month, day, h, m, s);
    const isReal = h < 24 && m < 60 && s <= 60;
    return isReal && isDayOf(ms, day, s) ? ms : undefined;
  }
  return undefined;
}

/** Rejects a 31st of June, which would become the 1st of July. A leap second may end a day. */
function isDayOf(ms: number, day: number, second: number): boolean {
  return new Date(second === 60 ? ms - 1000 : ms).getUTCDate() === day;
}

/** Two-digit years that would be over 50 years ahead are in the past. */
function fullYear(year: string, nowMs: number): number {
  if (year.length === 4) return Number(year);
  const thisYear = new Date(nowMs).getUTCFullYear();
  const near = thisYear - (thisYear % 100) + Number(year);
  return near > thisYear + 50 ? near - 100 : near;
}
