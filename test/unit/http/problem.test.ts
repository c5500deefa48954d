import { expect, it } from "vitest";

import { SignerUnavailableError } from "../../../src/ca/errors.ts";
import { HttpError } from "../../../src/http/errors.ts";
import { problemHeaders, problemOf, shownProblems } from "../../../src/http/problem.ts";
import { LintError, MalformedDerError, WeakKeyError } from "../../../src/pki/errors.ts";
import { InvalidValueError, NotFoundError } from "../../../src/registry/errors.ts";
import { ForbiddenError, UnauthorizedError } from "../../../src/staff/errors.ts";
import { DatabaseUnavailableError } from "../../../src/storage/errors.ts";

const INTERNAL = { type: "/problems/internal-error", title: "Internal error", status: 500 };

it("RFC 9457 §3.1: a refusal has type, title, status, detail and the fields that were wrong", () => {
  expect(problemOf(new InvalidValueError("email", "is no address"))).toEqual({
    type: "/problems/invalid-value",
    title: "Value not allowed",
    status: 422,
    detail: "email is no address",
    errors: [{ field: "email", detail: "email is no address" }],
  });
});

it("names the csr where the room cannot", () => {
  expect(problemOf(new WeakKeyError("the modulus has 1024 bits")).errors).toEqual([
    { field: "csr", detail: "the modulus has 1024 bits" },
  ]);
});

it("lists each finding of a lint", () => {
  const finding = { lint: "san_uri", cites: "RFC 5280 §4.2.1.6", detail: "the SAN is missing" };
  expect(problemOf(new LintError([finding, { ...finding, detail: "another" }])).errors).toEqual([
    { field: "csr", detail: "the SAN is missing" },
    { field: "csr", detail: "another" },
  ]);
});

it("says nothing of fields where none was wrong", () => {
  expect(problemOf(new NotFoundError("device"))).not.toHaveProperty("errors");
});

it.for([
  { name: "a bug", thrown: new TypeError("x is undefined at /srv/a.ts") },
  {
    name: "a fault of ours with a code",
    thrown: new MalformedDerError("the issuer's row is broken"),
  },
  {
    name: "an error of PostgreSQL's",
    thrown: Object.assign(new Error("relation app.x"), { code: "42P01" }),
  },
  {
    name: "a code from Object's own members",
    thrown: Object.assign(new Error("x"), { code: "toString" }),
  },
  { name: "no error at all", thrown: "a string" },
  { name: "nothing", thrown: undefined },
])("$name is a bare 500", ({ thrown }) => {
  expect(problemOf(thrown)).toEqual(INTERNAL);
});

it.for([
  {
    name: "no key",
    error: new UnauthorizedError(),
    hasCredentials: false,
    headers: { "www-authenticate": 'Bearer realm="suido"' },
  },
  {
    name: "a wrong key",
    error: new UnauthorizedError(),
    hasCredentials: true,
    headers: { "www-authenticate": 'Bearer realm="suido", error="invalid_token"' },
  },
  {
    name: "a role that may not",
    error: new ForbiddenError("no"),
    hasCredentials: true,
    headers: { "www-authenticate": 'Bearer realm="suido", error="insufficient_scope"' },
  },
  {
    name: "a signer that is away",
    error: new SignerUnavailableError("away"),
    hasCredentials: true,
    headers: { "retry-after": "5" },
  },
  {
    name: "a database that is away",
    error: new DatabaseUnavailableError("away"),
    hasCredentials: true,
    headers: { "retry-after": "5" },
  },
  {
    name: "any other",
    error: new HttpError("not-acceptable", "no"),
    hasCredentials: true,
    headers: {},
  },
])(
  "RFC 6750 §3, RFC 9110 §10.2.3: the header fields of $name",
  ({ error, hasCredentials, headers }) => {
    expect(problemHeaders(error, { hasCredentials })).toEqual(headers);
  },
);

it("every 503 says when to come back", () => {
  const away = shownProblems().filter(({ status }) => status === 503);
  expect(away.length).toBeGreaterThan(3);
  for (const { code } of away) {
    const error = Object.assign(new Error("away"), { code });
    expect(problemHeaders(error, { hasCredentials: true })).toHaveProperty("retry-after");
  }
});
