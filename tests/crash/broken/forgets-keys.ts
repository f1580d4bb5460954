// A services client that ignores the effect key: every call is a new one to the other side.
const real = globalThis.fetch;
let calls = 0;

globalThis.fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  calls += 1;
  if (headers.has('idempotency-key')) headers.set('idempotency-key', `${process.pid}-${calls}`);
  return real(input, { ...init, headers });
};
