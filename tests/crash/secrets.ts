/** Planted where the outside world is careless with them; none of it may turn up in a log, an error, a dead letter or a metric. */
export const CARD = '4111111111111111';
export const PASSWORD = 'planted-hunter2';
export const TOKEN = 'planted-admin-token';

const SPELLINGS: ReadonlyMap<string, RegExp> = new Map([
  ['the card number', /4111[ -]?1111[ -]?1111[ -]?1111/],
  ['the password', new RegExp(PASSWORD)],
  ['the admin token', new RegExp(TOKEN)],
]);

/** Which of them a text gives away. */
export const secretsIn = (text: string): readonly string[] =>
  [...SPELLINGS].filter(([, spelling]) => spelling.test(text)).map(([name]) => name);

/** What a careless service says when it fails. */
export const CARELESS = `charge of card ${CARD} failed at postgres://app:${PASSWORD}@db/charges, password=${PASSWORD}`;
