import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { FastifySchemaCompiler, FastifySchemaValidationError } from "fastify";
import type { TSchema } from "typebox";

import { type FieldFault, MOST_FAULTS } from "./errors.ts";

/** What a text must be to fit a pattern of ours. A pattern without its words does not leave `text`. */
const PATTERNS = {
  "^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$": "must be a UUID",
  "^(?!00)(?:[0-9a-f]{2}){1,20}$":
    "must be lower-case hex of whole octets, without a prefix or leading 00",
  "^(?:[0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$": "must be a SHA-256 hash in hex",
  "^[0-9]{6}$": "must be six digits",
  "^[!-~]{1,255}$": "must be 1 to 255 visible ASCII characters",
  "^[a-z][a-z0-9-]{0,39}$":
    "must be 1 to 40 lower-case letters, digits and hyphens, a letter first",
  "^(?:0|[1-9]\\d{0,17})$": "must be a decimal number of at most 18 digits",
  "^[A-Za-z0-9_-]{1,512}$": "must be the nextCursor of the page before",
  "^[^\\p{Cc}\\p{Cs}]*$": "must not hold control characters or unpaired surrogates",
  "^\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)$":
    "must be a time of RFC 3339 such as 2026-11-21T09:00:00Z",
} as const;

/** A pattern that a schema may use: one whose words a caller will be told. */
export type Pattern = keyof typeof PATTERNS;

const OPTIONS = {
  // An unknown member is refused by name, never dropped.
  removeAdditional: false,
  allErrors: true,
  useDefaults: true,
  allowUnionTypes: true,
  // `format` and OpenAPI's own words are for readers of the document; patterns are what holds.
  strict: true,
  validateFormats: false,
} as const;

/**
 * Validates bodies as they came, and everything else, which is text by nature, after reading it as what the schema
 * asks for: `?limit=5` is a number, and `?status=good` a list of one.
 */
export function createValidatorCompiler(): FastifySchemaCompiler<TSchema> {
  const strict = new Ajv({ ...OPTIONS, coerceTypes: false });
  const lenient = new Ajv({ ...OPTIONS, coerceTypes: "array" });
  for (const ajv of [strict, lenient]) ajv.addVocabulary(["example"]);
  return ({ schema, httpPart }) => {
    const ajv = httpPart === "body" ? strict : lenient;
    return compiledAtFirst(() => ajv.compile(schema));
  };
}

/** Most routes are not asked for in most lives of a process: what validates is compiled when it is first needed. */
function compiledAtFirst(
  compile: () => ValidateFunction,
): ReturnType<FastifySchemaCompiler<TSchema>> {
  let compiled: ValidateFunction | undefined;
  const validate: ReturnType<FastifySchemaCompiler<TSchema>> = (data) => {
    compiled ??= compile();
    const isValid = compiled(data);
    validate.errors = compiled.errors ?? null;
    return isValid;
  };
  return validate;
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: "a string",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
  null: "null",
};

function typeWords(type: unknown): string {
  const types = Array.isArray(type) ? type : [type];
  return types.map((each) => ARTICLES[String(each)] ?? String(each)).join(" or ");
}

/** What is wrong, by JSON Schema keyword, as the end of a sentence that begins with the field. */
const WORDS: Readonly<Record<string, (params: Readonly<Record<string, unknown>>) => string>> = {
  required: () => "is missing",
  additionalProperties: () => "is not known here",
  type: ({ type }) => `must be ${typeWords(type)}`,
  enum: ({ allowedValues }) => `must be one of ${(allowedValues as readonly string[]).join(", ")}`,
  pattern: ({ pattern }) => PATTERNS[pattern as Pattern],
  minLength: ({ limit }) =>
    limit === 1 ? "must not be empty" : `must have at least ${String(limit)} characters`,
  maxLength: ({ limit }) => `must have at most ${String(limit)} characters`,
  maxItems: ({ limit }) => `must have at most ${String(limit)} items`,
  minItems: ({ limit }) => `must have at least ${String(limit)} ${limit === 1 ? "item" : "items"}`,
  minProperties: () => "must change at least one member",
  minimum: ({ limit }) => `must be at least ${String(limit)}`,
  maximum: ({ limit }) => `must be at most ${String(limit)}`,
  uniqueItems: () => "must not hold the same item twice",
};

/** Looked up by a name that a caller made up, which must not find what every object has, such as `constructor`. */
const HEADERS: ReadonlyMap<string, string> = new Map([["idempotency-key", "Idempotency-Key"]]);

/** The member as a program would write it: `/identities/0/issuer` is `identities[0].issuer` (RFC 6901 §3). */
function fieldOf({ instancePath, params }: Pick<ErrorObject, "instancePath" | "params">): string {
  const named: unknown = params["missingProperty"] ?? params["additionalProperty"];
  const steps = instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (typeof named === "string") steps.push(named);
  const path = steps
    .map((step, depth) => {
      if (/^\d+$/.test(step)) return `[${step}]`;
      return depth === 0 ? step : `.${step}`;
    })
    .join("");
  return HEADERS.get(path) ?? path;
}

/** Names that a caller made up are told back, but not at any length. */
const LONGEST_FIELD = 200;

/** The faults of a request, by field. `part` is what was validated: body, params, querystring or headers. */
export function faultsOf(
  errors: readonly FastifySchemaValidationError[],
  part: string,
): readonly FieldFault[] {
  return errors.slice(0, MOST_FAULTS).map(({ instancePath, params, keyword, message }) => {
    const field = fieldOf({ instancePath, params });
    return {
      field: field === "" ? part : field.slice(0, LONGEST_FIELD),
      detail: WORDS[keyword]?.(params) ?? message ?? "is not allowed",
    };
  });
}
