/**
 * What any schema of Zod, Valibot, ArkType and others looks like from outside, so that one of them can say what an order is.
 * `validate` may be asynchronous. `types` exists for the compiler only.
 * @see https://standardschema.dev
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The value as the schema wants it kept, or what is wrong with it. */
export type SchemaResult<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** What is wrong, and where. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type Types<Schema extends StandardSchemaV1> = NonNullable<Schema['~standard']['types']>;

/** What has to be handed in. */
export type SchemaInput<Schema extends StandardSchemaV1> = Types<Schema>['input'];

/** What comes out and is stored. */
export type SchemaOutput<Schema extends StandardSchemaV1> = Types<Schema>['output'];
