import type { IncomingHttpHeaders } from 'node:http';

/** Version 00, and neither id all zeros. @see W3C Trace Context, 3.2 */
const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** The trace that a request is part of. What is no `traceparent` is as good as none. @see W3C Trace Context, 4.3 */
export const traceOf = ({ traceparent }: IncomingHttpHeaders): string | undefined =>
  typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : undefined;
