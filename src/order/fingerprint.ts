const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(fields).filter((key) => fields[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(fields[key])}`)
    .join(',')}}`;
};

/**
 * What was asked, as text: equal for equal values whatever the order of their properties, different for different ones. Bound to the
 * idempotency key, so that the same key with another order is noticed. Takes what `validate` returned.
 */
export const fingerprint = (details: unknown): string => canonical(details);
