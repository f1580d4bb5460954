const HIDDEN = '[redacted]';

/** `scheme://user:password@`, also where the password has an unescaped `/` or `@` in it. */
const URL_LOGIN = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)(?:[^\s":/@]*:(?!\d{1,5}[/?#])[^\s"]*|[^\s"/]*)@/gi;

/** A header or field whose whole value is a credential, to the end of its line or quotes. */
const HEADER = /\b((?:proxy-)?authorization|(?:set-)?cookie)(\\?["']?\s*[:=]\s*)(?:\[redacted\]|\\?"[^"\r\n]*"?|[^"\r\n]*)/gi;

/** `password=…`, `"apiKey": "…"`, `client_secret: …`, in query strings, logs, JSON and JSON within JSON. */
const FIELD =
  /\b([\w-]{0,40}(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[-_ ]?key|private[-_ ]?key|access[-_ ]?key|credentials?|cvv2?|cvc2?|card[-_ ]?number))(\\?["'`]?\s*[:=]>?\s*)(?:\[redacted\]|\\"(?:[^"\\]|\\(?!"))*(?:\\")?|"(?:\\.|[^"\\])*"?|'(?:\\.|''|[^'\\])*'?|[^\s;&"']+)/gi;

/** Known by their shape alone: bearer values, JSON web tokens, `sk_live_…`, quotes of somebody else's reply, private keys. */
const SHAPES = [
  /(?<![a-z])(bearer\s+)(?=[^\s\d]*\d)[\w.~+/=-]{8,}/gi,
  /\b()eyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g,
  /\b()[a-z]{2}_(?:live|test)_\w+/g,
  // What JSON.parse quotes of a reply it can't read.
  /(Unexpected token .{1,10}?, ).*?(?= is not valid JSON)/gs,
  /()-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----END))*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g,
];

/** Digits in groups, at most two separators between them. */
const DIGITS = /\d+(?:[ \t\u00a0-]{1,2}\d+)*/g;

/** The check digit of payment cards. @see ISO/IEC 7812-1, annex B */
const passesLuhn = (digits: string): boolean => {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
};

interface Group {
  readonly digits: string;
  readonly from: number;
  readonly to: number;
}

/** Where the longest card number of 13 to 19 digits ends that begins with the first of these groups. */
const endOfCard = (groups: readonly Group[]): number | undefined => {
  let digits = '';
  let end: number | undefined;
  for (const group of groups) {
    digits += group.digits;
    if (digits.length > 19) break;
    if (digits.length >= 13 && passesLuhn(digits)) end = group.to;
  }
  return end;
};

/** Card numbers are looked for in runs of whole groups, because other numbers may stand beside them. */
const hideCards = (text: string): string => {
  const groups = [...text.matchAll(/\d+/g)].map((match) => ({ digits: match[0], from: match.index, to: match.index + match[0].length }));
  let safe = '';
  let done = 0;
  for (const [index, { from }] of groups.entries()) {
    const end = from < done ? undefined : endOfCard(groups.slice(index, index + 19));
    if (end === undefined) continue;
    safe += text.slice(done, from) + HIDDEN;
    done = end;
  }
  return safe + text.slice(done);
};

/**
 * Takes out of a text what must never be stored or logged: logins in URLs, passwords, tokens, keys, authorization
 * headers and payment card numbers (13 to 19 digits that pass the Luhn check). What it hides reads `[redacted]`.
 * When in doubt it hides too much. Doing it twice changes nothing.
 */
export const redact = (text: string): string => {
  let safe = text.replace(DIGITS, hideCards);
  safe = safe.replace(URL_LOGIN, `$1${HIDDEN}@`).replace(HEADER, `$1$2${HIDDEN}`).replace(FIELD, `$1$2${HIDDEN}`);
  for (const shape of SHAPES) safe = safe.replace(shape, `$1${HIDDEN}`);
  return safe;
};
