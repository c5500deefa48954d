import { Ajv2020 } from "ajv/dist/2020.js";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, it } from "vitest";

import { appWith } from "./app.ts";

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
  }[];
  readonly responses: Readonly<
    Record<string, { readonly description?: string; readonly content?: object }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly security: readonly object[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<
      Record<string, { readonly type: string; readonly scheme: string }>
    >;
  };
}

let app: FastifyInstance;
let document: Document;
beforeAll(async () => {
  ({ app } = await appWith());
  document = (await app.inject("/openapi.json")).json<Document>();
});
afterAll(() => app.close());

/** The server's own list of its routes, without HEAD, pages and files. */
function servedBy(server: FastifyInstance): string[] {
  const lines = server.printRoutes({ commonPrefix: false }).split("\n");
  const parents: string[] = [];
  const found: string[] = [];
  for (const line of lines) {
    const match = /^([│ ├└─]*)(\S+)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (match === null) continue;
    const [, indent = "", segment = "", methods = ""] = match;
    const depth = indent.length / 4 - 1;
    parents.splice(depth);
    const path = parents.join("") + segment;
    parents.push(segment);
    found.push(
      ...methods
        .split(", ")
        .filter((method) => method !== "" && method !== "HEAD")
        .map((method) => `${method} ${path}`),
    );
  }
  // What stands below /v1/authorize is the same call, for proxies that append what they were asked for.
  return found.filter(
    (route) => /^[A-Z]+ \/(?:v1|health|metrics)/.test(route) && !route.includes("/v1/authorize*"),
  );
}

function operations(): [string, string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
      path,
      method,
      operation,
    ]),
  );
}

it("is OpenAPI 3.1 with a bearer key", () => {
  expect(document).toMatchObject({
    openapi: "3.1.0",
    info: { title: "Suido", version: "0.0.0" },
    security: [{ bearer: [] }],
    components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
  });
});

it("has every call of the contract, and what operators need", () => {
  expect(
    operations()
      .map(([path, method]) => `${method} ${path}`)
      .toSorted(),
  ).toMatchInlineSnapshot(`
    [
      "delete /v1/accounts/{id}",
      "delete /v1/accounts/{id}/second-factors/{factorId}",
      "delete /v1/api-keys/{id}",
      "delete /v1/corporations/{id}",
      "delete /v1/devices/{id}",
      "delete /v1/memberships/{id}",
      "delete /v1/pharmacies/{id}",
      "delete /v1/relying-parties/{id}",
      "get /health/live",
      "get /health/ready",
      "get /metrics",
      "get /v1/accounts",
      "get /v1/accounts/{id}",
      "get /v1/accounts/{id}/second-factors",
      "get /v1/api-keys",
      "get /v1/authorize",
      "get /v1/banner/{serialNumber}",
      "get /v1/bulk-issues",
      "get /v1/bulk-issues/{id}",
      "get /v1/bulk-issues/{id}/report",
      "get /v1/certificates",
      "get /v1/certificates/{serialNumber}",
      "get /v1/certificates/{serialNumber}/mails",
      "get /v1/certificates/{serialNumber}/propagation",
      "get /v1/corporations",
      "get /v1/corporations/{id}",
      "get /v1/devices",
      "get /v1/devices/{id}",
      "get /v1/devices/{id}/certificates",
      "get /v1/enrolment-batches",
      "get /v1/enrolment-batches/{id}",
      "get /v1/enrolment-batches/{id}/report",
      "get /v1/enrolment-figures",
      "get /v1/enrolments",
      "get /v1/enrolments/{id}",
      "get /v1/enrolments/{id}/mails",
      "get /v1/memberships",
      "get /v1/memberships/{id}",
      "get /v1/pharmacies",
      "get /v1/pharmacies/{id}",
      "get /v1/relying-parties",
      "get /v1/relying-parties/{id}",
      "get /v1/stages",
      "get /v1/stages/{id}",
      "get /v1/status/{serialNumber}",
      "get /v1/tasks",
      "patch /v1/accounts/{id}",
      "patch /v1/corporations/{id}",
      "patch /v1/devices/{id}",
      "patch /v1/memberships/{id}",
      "patch /v1/pharmacies/{id}",
      "patch /v1/relying-parties/{id}",
      "post /v1/accounts",
      "post /v1/accounts/{id}/factor-links",
      "post /v1/acknowledgements",
      "post /v1/bulk-issues",
      "post /v1/bulk-issues/{id}/collect",
      "post /v1/certificates",
      "post /v1/certificates/{serialNumber}/checks",
      "post /v1/certificates/{serialNumber}/reissue",
      "post /v1/certificates/{serialNumber}/renew",
      "post /v1/certificates/{serialNumber}/renew-now",
      "post /v1/certificates/{serialNumber}/revoke",
      "post /v1/certificates/{serialNumber}/unhold",
      "post /v1/corporations",
      "post /v1/devices",
      "post /v1/enrolment-batches",
      "post /v1/enrolment-batches/{id}/sheet",
      "post /v1/enrolments",
      "post /v1/enrolments/{id}/confirm",
      "post /v1/enrolments/{id}/sheet",
      "post /v1/enrolments/{id}/withdraw",
      "post /v1/mail-bounces",
      "post /v1/memberships",
      "post /v1/pharmacies",
      "post /v1/relying-parties",
      "post /v1/stages/{id}/confirm",
      "post /v1/tasks/{id}/close",
      "put /v1/stages",
    ]
  `);
});

it("has exactly the routes that the server has, but for pages and their files", () => {
  const documented = operations().map(
    ([path, method]) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`,
  );
  const served = servedBy(app);
  expect(served.length).toBeGreaterThan(30);
  expect(documented.toSorted()).toEqual(served.toSorted());
});

it("describes each call: summary, a known tag, its path's parameters, and answers that have words", () => {
  const tags = new Set(document.tags.map(({ name }) => name));
  const faults = operations().filter(([path, , operation]) => {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
    return !(
      /^[A-Z]/.test(operation.summary ?? "") &&
      operation.tags?.every((tag) => tags.has(tag)) === true &&
      inPath.map(({ name }) => name).join() === named.join() &&
      Object.values(operation.responses).every(({ description = "" }) => description !== "")
    );
  });
  expect(faults).toEqual([]);
});

it("gives each call under /v1 problem answers for no key, a wrong role, a fault of ours and a part that is away", () => {
  const calls = operations().filter(([path]) => path.startsWith("/v1/"));
  expect(calls.length).toBeGreaterThan(30);
  for (const [, , { responses }] of calls) {
    for (const status of ["400", "401", "403", "500", "503"]) {
      expect(responses[status]?.content).toHaveProperty(["application/problem+json"]);
    }
  }
});

it("takes an Idempotency-Key on every POST that creates", () => {
  const creating = operations().filter(
    ([, method, { responses }]) => method === "post" && "201" in responses,
  );
  expect(creating).toHaveLength(13);
  for (const [, , { parameters = [] }] of creating) {
    expect(parameters).toContainEqual(
      expect.objectContaining({ name: "idempotency-key", in: "header", required: false }),
    );
  }
});

it("has schemas that JSON Schema 2020-12 takes, and references that lead somewhere", () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "https://suido.test/openapi.json", ...document });
  const references = JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g);
  const targets = new Set(Array.from(references, ([, target]) => target ?? ""));
  expect(targets.size).toBeGreaterThan(10);
  for (const target of targets) {
    const compile = (): unknown =>
      ajv.compile({ $ref: `https://suido.test/openapi.json#${target}` });
    expect(compile).not.toThrow();
  }
  for (const schema of Object.values(document.components.schemas))
    expect(ajv.validateSchema(schema)).toBe(true);
});
