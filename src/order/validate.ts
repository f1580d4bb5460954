import * as E from 'fp-ts/lib/Either.js';
import { OrderfoldError } from '../core/errors.ts';
import { plainJson } from './plain-json.ts';
import { type Issue, invalid, pathText, type Rejection } from './rejection.ts';
import type { SchemaIssue, SchemaOutput, SchemaResult, StandardSchemaV1 } from './standard-schema.ts';

const INVALID = 'the order can not be taken like this';

const toIssue = ({ message, path = [] }: SchemaIssue): Issue => ({
  path: pathText(path.map((segment) => (typeof segment === 'object' ? segment.key : segment))),
  message,
});

const run = async (schema: StandardSchemaV1, input: unknown): Promise<SchemaResult<unknown>> => {
  try {
    return await schema['~standard'].validate(input);
  } catch (cause) {
    throw new OrderfoldError('HANDLER', 'the order schema failed instead of answering', { cause });
  }
};

/**
 * What of an order is stored: the schema's output, deeply frozen. It has to be a plain JSON object, because it is kept as text and must
 * come back the same.
 * @returns `left` INVALID naming each field.
 * @throws OrderfoldError `HANDLER`, retryable, when the schema throws or rejects.
 */
export const validate = async <Schema extends StandardSchemaV1>(
  schema: Schema,
  input: unknown,
): Promise<E.Either<Rejection, SchemaOutput<Schema>>> => {
  const result = await run(schema, input);
  if (result.issues !== undefined) return E.left(invalid(INVALID, result.issues.map(toIssue)));
  const json = plainJson(result.value);
  if (E.isLeft(json)) return E.left(invalid(INVALID, json.left));
  if (typeof json.right !== 'object' || json.right === null || Array.isArray(json.right)) {
    return E.left(invalid(INVALID, [{ path: '', message: 'expected an object' }]));
  }
  return E.right(json.right as SchemaOutput<Schema>);
};
