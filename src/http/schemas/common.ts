import {
  Type,
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
} from "typebox";

import { DEFAULT_LIMIT, MAX_LIMIT } from "../../registry/page-limit.ts";
import type { Pattern } from "../validators.ts";

interface TextOptions {
  readonly description?: string;
  readonly example?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Text that fits one of the patterns whose words a caller is told. */
export function patterned(pattern: Pattern, options: TextOptions): TUnsafe<string> {
  return Type.Unsafe<string>({ type: "string", pattern, ...options });
}

/** An object that has these members and no others. */
export function closed<Members extends TProperties>(
  members: Members,
  options: {
    readonly $id?: string;
    readonly description?: string;
    readonly minProperties?: number;
  } = {},
): TObject<Members> {
  return Type.Object(members, { additionalProperties: false, ...options });
}

/** One line of text from outside. What the words may be is the rooms' to say; NUL and half characters are nobody's. */
export function line(maxLength: number, options: TextOptions = {}): TUnsafe<string> {
  return patterned("^[^\\p{Cc}\\p{Cs}]*$", { minLength: 1, maxLength, ...options });
}

/** The same, or null to take the value away. */
export function lineOrNull(maxLength: number, options: TextOptions = {}): TUnsafe<string | null> {
  return Type.Unsafe<string | null>({ ...line(maxLength, options), type: ["string", "null"] });
}

/** One of these words. */
export function word<const Words extends readonly string[]>(
  words: Words,
  options: { readonly description?: string; readonly default?: Words[number] } = {},
): TUnsafe<Words[number]> {
  return Type.Unsafe<Words[number]>({ type: "string", enum: [...words], ...options });
}

/** A list of these. */
export function listOf<Item extends TSchema>(
  items: Item,
  options: {
    readonly minItems?: number;
    readonly maxItems?: number;
    readonly description?: string;
  } = {},
): TUnsafe<readonly Static<Item>[]> {
  return Type.Unsafe<readonly Static<Item>[]>({ type: "array", items, ...options });
}

/** Refers to a schema that the app knows by its name; in the document it stands among the components. */
export function named<Schema extends TSchema>(
  schema: Schema & { readonly $id?: string },
): TUnsafe<Static<Schema>> {
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id ?? ""}#` });
}

export const Id = patterned("^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", {
  format: "uuid",
  description: "A UUID.",
  example: "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a10",
});

export const SerialNumber = patterned("^(?!00)(?:[0-9a-f]{2}){1,20}$", {
  description: "A serial number: lower-case hexadecimal of whole octets, without a prefix.",
  example: "41c39e07b25d4f6a8c10e7725f3d8d12",
});

export const Fingerprint = patterned("^(?:[0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$", {
  description: "SHA-256 of the certificate in DER, in hexadecimal, with or without colons.",
  example: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
});

/** A time that we tell. Rooms speak in Dates; the serialiser writes RFC 3339 in UTC. */
export const Time = Type.Unsafe<Date>({
  type: "string",
  format: "date-time",
  description: "A time of RFC 3339 in UTC.",
  example: "2026-11-21T09:00:00.000Z",
});

/** A time that we are told. */
export const GivenTime = patterned(
  "^\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)$",
  { format: "date-time", description: "A time of RFC 3339.", example: "2026-11-21T09:00:00Z" },
);

/** The same, or null to take the value away. */
export const GivenTimeOrNull = Type.Unsafe<string | null>({
  ...GivenTime,
  type: ["string", "null"],
});

export const IdParams = closed({ id: Id });
export const SerialParams = closed({ serialNumber: SerialNumber });

/** What a creation may carry, so that sending it twice makes one thing. */
export const CreationHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    patterned("^[!-~]{1,255}$", {
      description:
        "1 to 255 visible ASCII characters, fresh for each new request. The same key with the same request gets the first answer again, with Idempotency-Replayed: true.",
      example: "8e03978e-40d5-43dd-bc93-6894a57f9324",
    }),
  ),
});

/** How a list is paged through. */
export const PageQuery = {
  limit: Type.Integer({
    minimum: 1,
    maximum: MAX_LIMIT,
    default: DEFAULT_LIMIT,
    description: "How many at most.",
  }),
  after: Type.Optional(
    patterned("^[A-Za-z0-9_-]{1,512}$", { description: "The nextCursor of the page before." }),
  ),
};

/** A page of things. */
export function page<Item extends TSchema>(
  item: Item,
): TUnsafe<{ readonly items: readonly Static<Item>[]; readonly nextCursor?: string }> {
  return Type.Unsafe({
    type: "object",
    required: ["items"],
    properties: {
      items: listOf(item),
      nextCursor: { type: "string", description: "Absent on the last page." },
    },
  });
}

/** The answer without a body. */
export const Done = Type.Unsafe<undefined>({ type: "null", description: "Done." });

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: "Stable; the address of a page about it." }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    instance: Type.Optional(Type.String({ description: "The request's id, as in X-Request-Id." })),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), detail: Type.String() }), {
        description: "Each field that was wrong.",
      }),
    ),
    help: Type.Optional(
      Type.String({ description: "A page for the person whom a proxy turns away." }),
    ),
  },
  { $id: "Problem", description: "A problem document (RFC 9457)." },
);

const PROBLEM_STATUS: Readonly<Record<number, string>> = {
  400: "The request is malformed; errors names each field.",
  401: "No valid API key.",
  403: "The key's role may not do this.",
  404: "Nothing of this name that the key may see.",
  406: "Only application/json is served.",
  409: "It contradicts what exists.",
  413: "The body is larger than 64 kB.",
  415: "The body is not application/json.",
  422: "Well-formed, but not possible; errors names each field.",
  500: "A fault of ours.",
  503: "A part that this needs is away; Retry-After says when to come back.",
};

/** The answers that any call may give besides its own, as problem documents. */
const ALWAYS = [400, 401, 403, 406, 500, 503] as const;

/** The problem answers of a call: those of any, and these. */
export function problems(...statuses: readonly number[]): Record<number, object> {
  return Object.fromEntries(
    [...ALWAYS, ...statuses].map((status) => [
      status,
      {
        description: PROBLEM_STATUS[status] ?? "A problem.",
        content: { "application/problem+json": { schema: named(ProblemSchema) } },
      },
    ]),
  );
}

/** The problem answers of a call with a body. */
export function bodyProblems(...statuses: readonly number[]): Record<number, object> {
  return problems(413, 415, 422, ...statuses);
}
