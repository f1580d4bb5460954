import type { IncomingHttpHeaders } from 'node:http';
import { isTraceparent } from 'orderfold';

/** The trace that a request is part of. What is no `traceparent` is as good as none. @see W3C Trace Context, 4.3 */
export const traceOf = ({ traceparent }: IncomingHttpHeaders): string | undefined => (isTraceparent(traceparent) ? traceparent : undefined);
