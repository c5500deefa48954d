import { isUtf8 } from "node:buffer";

import type { FastifyBodyParser, FastifyInstance, FastifyRequest } from "fastify";

import { HttpError } from "./errors.ts";

/**
 * Reads bodies of JSON, which is UTF-8 (RFC 8259 §8.1): other octets are refused, not replaced, because a name in
 * Shift_JIS would be stored as rubbish. An empty body is none, whatever its media type says: clients name one by habit.
 */
export function addJsonParser(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  const parser: FastifyBodyParser<Buffer> = (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    if (isUtf8(body)) return parse(request, body.toString("utf8"), done);
    const says = "the body is not UTF-8";
    return done(new HttpError("malformed-request", says, [{ field: "body", detail: says }]));
  };
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, parser);
}

/** A `preValidation` of calls whose body may be left out: none is an empty object. */
export async function bodyOrNone(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}
