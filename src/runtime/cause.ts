import type { ErrorFacts } from '../core/error-facts.ts';

const LONGEST = 200;

/** Function and file of a stack frame, without what differs between machines, builds of the same file and calls: folders, lines, `async`. */
const placeOf = (frame: string): string => {
  const [, called = '', where = frame] = /^(.*?) \((.*)\)$/.exec(frame) ?? [];
  const file = where
    .replace(/[?#][^:]*/g, '')
    .replace(/:\d+/g, '')
    .replace(/^.*[\\/]/, '');
  return `${called.replace(/^async /, '')} ${file.replace(/^async /, '')}`.trim();
};

/** The words of a message; whatever has a digit in it may be an amount, a time or an id. */
const wordsOf = (message: string): string =>
  message
    .replaceAll('[redacted]', '#')
    .replace(/[\w#-]*[\d#][\w#-]*/g, '#')
    .replace(/\s+/g, ' ')
    .trim();

/**
 * Groups letters that died of the same thing: name, code and innermost own frame of the error. One without such a frame, or that is
 * no error, is told by the words of its message instead.
 */
export const causeOf = ({ name, code, frame, message }: ErrorFacts): string =>
  `${name} ${code} ${frame === undefined ? wordsOf(message) : placeOf(frame)}`
    .slice(0, LONGEST)
    .replace(/\p{Surrogate}$/u, '')
    .trim();
