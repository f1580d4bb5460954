const quoted = (text: string): string => (/^[\w .:-]*$/.test(text) ? `"${text}"` : JSON.stringify(text));

/** Plain loops, and JSON's own quoting only where it is needed: an order in hand waits for this. */
const canonical = (value: unknown): string => {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += text === '' ? canonical(item) : `,${canonical(item)}`;
    return `[${text}]`;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(fields).sort()) {
    const item = fields[key];
    if (item !== undefined) text += `${text === '' ? '' : ','}${quoted(key)}:${canonical(item)}`;
  }
  return `{${text}}`;
};

/**
 * What was asked, as text: equal for equal values whatever the order of their properties, different for different ones. Bound to the
 * idempotency key, so that the same key with another order is noticed. Takes what `validate` returned.
 */
export const fingerprint = (details: unknown): string => canonical(details);
