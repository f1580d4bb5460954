/** A text for a log: one line, without control and formatting characters that a terminal or a reader would fall for. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '·').slice(0, 500);
