import { optional } from './options.ts';

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** Whether this is a `traceparent` header of W3C Trace Context, version 00: where in which trace something was begun. */
export const isTraceparent = (value: unknown): value is string => typeof value === 'string' && TRACEPARENT.test(value);

/** One that may be left out, among options. */
export const traceOption = optional({ expected: 'a W3C traceparent of version 00', accepts: isTraceparent });

/** The event as part of its trace; the very same object where it is part of none. */
export const traced = <T extends object>(event: T, trace: string | null | undefined): T & { readonly traceparent?: string } =>
  trace === undefined || trace === null ? event : { ...event, traceparent: trace };
